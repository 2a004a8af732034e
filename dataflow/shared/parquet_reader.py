# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""Parquet files. Their rows are typed by the writer, so a fault is one of the whole file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import SourceError
from dataflow.shared.read_result import ReadResult

if TYPE_CHECKING:
    import pyarrow as pa


def read_parquet(path: str | Path, *, schema: pa.Schema | None = None) -> ReadResult:
    """Read a Parquet file; with a schema its columns are taken and cast.

    Raises:
        SourceError: FILE_MISSING, FILE_UNREADABLE; FILE_MALFORMED, it is damaged or no Parquet; SCHEMA_MISMATCH.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # The plain file, not the dataset reader, which would take folder names for columns.
        table = pq.ParquetFile(path).read(columns=None if schema is None else schema.names)
    except FileNotFoundError as exc:
        raise SourceError(f"There is no file {path}", code="FILE_MISSING") from exc
    except pa.ArrowInvalid as exc:
        hint = "It is damaged, or was not written to its end"
        raise SourceError(f"{path} is no Parquet file that can be read", code="FILE_MALFORMED", hint=hint) from exc
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}", code="FILE_UNREADABLE") from exc
    return ReadResult(table if schema is None else _cast(table, schema, Path(path)))


def _cast(table: pa.Table, schema: pa.Schema, path: Path) -> pa.Table:
    import pyarrow as pa

    if missing := [name for name in schema.names if name not in table.column_names]:
        hint = f"It has {', '.join(table.column_names)}"
        raise SourceError(f"{path} has no column {', '.join(missing)}", code="SCHEMA_MISMATCH", hint=hint)
    try:
        return table.select(schema.names).cast(schema)
    except pa.ArrowInvalid as exc:
        raise SourceError(f"{path} does not fit the schema: {exc}", code="SCHEMA_MISMATCH") from exc
