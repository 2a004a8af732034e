# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""CSV through DuckDB's parser: rows it cannot read are set aside with their line and reason, the rest is loaded."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dataflow.errors import SourceError
from dataflow.shared.identifiers import quote
from dataflow.shared.read_result import ReadResult
from dataflow.shared.text_files import CHUNK, LONGEST_LINE, SHOWN, RowError, readable

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

DELIMITERS = ",;\t|"
MEMORY = "1GB"


def read_csv(
    path: str | Path,
    *,
    schema: pa.Schema | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    columns: list[str] | None = None,
) -> ReadResult:
    """Read a CSV file with a header line (or with the given column names, when it has none).

    Columns named in the schema get its types, all others stay text; empty fields are NULL. Delimiter and encoding are
    found by looking when they are not given. Rows are set aside for: too few or too many fields, a value that does
    not fit its type, a quote left open, torn bytes, a line longer than 2 MB. Memory does not depend on line lengths.

    Raises:
        SourceError: FILE_MISSING, FILE_UNREADABLE, ENCODING_UNKNOWN; SCHEMA_MISMATCH, a column of the schema is not
            in the header.
    """
    import duckdb
    import pyarrow as pa

    with readable(Path(path), encoding) as (file, too_long), duckdb.connect(config={"memory_limit": MEMORY}) as con:
        separator = delimiter or _delimiter(file)
        names = columns or _header(file, separator)
        if not names:
            return ReadResult((schema or pa.schema([])).empty_table(), too_long)
        types = _types(con, schema, names, Path(path))
        table = con.execute(_statement(file, separator, types, header=columns is None)).to_arrow_table()
        errors = sorted((*too_long, *_rejected(con, file)), key=lambda error: error.line)
        return ReadResult(table, tuple(errors))


def _delimiter(file: Path) -> str:
    """The candidate that the header line has most of."""
    with file.open(encoding="utf-8-sig", errors="replace") as text:
        header = text.readline(LONGEST_LINE)
    return max(DELIMITERS, key=header.count)


def _header(file: Path, delimiter: str) -> list[str]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        names = next(csv.reader(text, delimiter=delimiter), [])
    taken: dict[str, int] = {}
    return [_unique(name.strip() or f"column{number}", taken) for number, name in enumerate(names, start=1)]


def _unique(name: str, taken: dict[str, int]) -> str:
    """Names that differ also for DuckDB, which does not tell upper from lower case."""
    taken[name.lower()] = taken.get(name.lower(), 0) + 1
    return name if taken[name.lower()] == 1 else f"{name}_{taken[name.lower()]}"


def _types(con: DuckDBPyConnection, schema: pa.Schema | None, names: list[str], path: Path) -> dict[str, str]:
    """The DuckDB type of each column of the file, text where the schema does not name it."""
    if schema is None:
        return dict.fromkeys(names, "VARCHAR")
    if missing := [name for name in schema.names if name not in names]:
        raise SourceError(
            f"{path} has no column {', '.join(missing)}",
            code="SCHEMA_MISMATCH",
            hint=f"Its header says {', '.join(names)}",
        )
    con.register("wanted", schema.empty_table())
    wanted = {row[0]: row[1] for row in con.execute("DESCRIBE wanted").fetchall()}
    return {name: wanted.get(name, "VARCHAR") for name in names}


def _statement(file: Path, delimiter: str, types: dict[str, str], *, header: bool) -> str:
    columns = ", ".join(f"{_literal(name)}: {_literal(kind)}" for name, kind in types.items())
    options = (
        f"auto_detect = false, header = {header}, delim = {_literal(delimiter)}, quote = '\"', escape = '\"', "
        "nullstr = '', store_rejects = true, rejects_limit = 0, "
        f"max_line_size = {LONGEST_LINE}, columns = {{{columns}}}"
    )
    return f"SELECT {', '.join(map(quote, types))} FROM read_csv({_literal(str(file))}, {options})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _rejected(con: DuckDBPyConnection, file: Path) -> list[RowError]:
    """DuckDB's rejects, one a row of the file, with the line counted in the file: DuckDB counts records."""
    rows = con.execute(
        "SELECT line_byte_position, column_name, error_type, error_message, left(csv_line, ?) FROM reject_errors "
        "QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx) = 1 ORDER BY line_byte_position",
        [SHOWN],
    ).fetchall()
    lines = _lines_at(file, [int(row[0] or 0) for row in rows])
    return [
        RowError(line, column, f"{kind.lower()}: {message}", raw.strip("\r\n"))
        for line, (_, column, kind, message, raw) in zip(lines, rows, strict=True)
    ]


def _lines_at(file: Path, positions: list[int]) -> list[int]:
    """Line numbers of the rows at ascending byte positions, in one pass."""
    found: list[int] = []
    with file.open("rb") as source:
        offset, line = 0, 1
        for position in positions:
            while offset < position:
                chunk = source.read(min(CHUNK, position - offset))
                offset, line = offset + max(len(chunk), 1), line + chunk.count(b"\n")
            found.append(line + _empty_lines(source))
    return found


def _empty_lines(source: BinaryIO) -> int:
    """Empty lines ahead, without moving: DuckDB counts those before a row as part of it."""
    here, count = source.tell(), 0
    while source.readline(2) in (b"\n", b"\r\n"):
        count += 1
    source.seek(here)
    return count
