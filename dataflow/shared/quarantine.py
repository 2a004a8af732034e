# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""Quarantine: rows that were set aside, with where they came from and why, so that none just disappears."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataflow.shared.loading import load_arrow

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from dataflow.shared.text_files import RowError

_KEY = ("source", "line", "raw")
_SHOWN = 2000


def set_aside(
    connection: DuckDBPyConnection,
    *,
    into: str,
    source: str,
    unreadable: Sequence[RowError] = (),
    rejected: pa.Table | None = None,
) -> int:
    """Keep rows that were not taken in the table `into`: columns source, line, reason, raw. Again adds nothing twice.

    Args:
        connection: The connection that writes.
        into: The table, made where there is none.
        source: Where the rows came from: a file, an address, a table.
        unreadable: Rows that a reader could not read, with their lines.
        rejected: Rows that broke a rule, with a column `reasons`: `Validated.rejected`.

    Returns:
        How many rows were set aside now, also those that were known.
    """
    import pyarrow as pa

    rows: list[tuple[int | None, str, str]] = [(error.line, error.reason, error.raw) for error in unreadable]
    for row in rejected.to_pylist() if rejected is not None else ():
        reasons = "; ".join(row.pop("reasons"))
        rows.append((None, reasons, json.dumps(row, default=str, sort_keys=True)[:_SHOWN]))
    if rows:
        columns = list(zip(*rows, strict=True))
        table = pa.table(
            {
                "source": pa.array([source] * len(rows), pa.string()),
                "line": pa.array(columns[0], pa.int64()),
                "reason": pa.array(columns[1], pa.string()),
                "raw": pa.array(columns[2], pa.string()),
            }
        )
        load_arrow(connection, table, into=into, mode="upsert", key=_KEY)
    return len(rows)
