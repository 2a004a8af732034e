# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false
# (pyarrow ships no types)
"""What every file reader gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.shared.text_files import RowError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The rows that could be read, and those set aside with their line and reason, in the order of the file."""

    table: pa.Table
    quarantined: tuple[RowError, ...] = ()
