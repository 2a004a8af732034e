# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types, and makes its compute functions at import)
"""CSV through DuckDB's parser: rows it cannot read are set aside with their line and reason, the rest is loaded."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dataflow.errors import SourceError
from dataflow.shared.csv_lines import accepted_rows, lines_at
from dataflow.shared.csv_types import TEXT, inferred
from dataflow.shared.identifiers import quote
from dataflow.shared.read_result import ReadResult
from dataflow.shared.text_files import LONGEST_LINE, SHOWN, RowError, readable

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

DELIMITERS = ",;\t|"
MEMORY = "1GB"
ZONED = frozenset({"TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE"})


def read_csv(
    path: str | Path,
    *,
    schema: pa.Schema | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    columns: list[str] | None = None,
    types: Literal["infer", "text"] = "infer",
) -> ReadResult:
    """Read a CSV file with a header line (or with the given column names, when it has none).

    With a schema, the columns it names get its types, and all others stay text. Without one, types are found by
    looking at all values (see `csv_types`): a column is text where more than 2 % of its values do not fit, or where
    any would be changed, such as `007` or twenty digits; with `types="text"` all are. Empty fields are NULL.
    Delimiter and encoding are found by looking when they are not given. Rows are set aside for: too few or too many
    fields, a value that does not fit its type, a quote left open, torn bytes, a line longer than 2 MB. Memory does
    not depend on line lengths.

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
        con.execute("SET TimeZone = 'UTC'")
        source = _Source(file, separator, header=columns is None)
        if schema is None and types == "infer":
            kinds = inferred(con, _statement(source, dict.fromkeys(names, TEXT), "ignore_errors = true"), names)
        else:
            kinds = _types(con, schema, names, Path(path))
        table, errors = _read(con, source, kinds)
        return ReadResult(table, tuple(sorted((*too_long, *errors), key=lambda error: error.line)))


@dataclass(frozen=True, slots=True)
class _Source:
    file: Path
    delimiter: str
    header: bool


def _read(con: DuckDBPyConnection, source: _Source, kinds: dict[str, str]) -> tuple[pa.Table, list[RowError]]:
    """The rows that fit, and the others.

    DuckDB's parser makes NULL, and says nothing, of what is no time with a zone: those columns are read as text and
    cast here.
    """
    zoned = {name: kind for name, kind in kinds.items() if kind in ZONED}
    options = "store_rejects = true, rejects_limit = 0"
    table = con.execute(_statement(source, kinds | dict.fromkeys(zoned, TEXT), options)).to_arrow_table()
    errors = _rejected(con, source.file)
    reasons: dict[int, tuple[str, str]] = {}
    for name, kind in reversed(zoned.items()):
        table, misfits = _cast(con, table, name, kind)
        reasons |= dict.fromkeys(misfits, (name, kind))
    return _taken_out(table, reasons), [*errors, *_as_errors(source, reasons, errors)]


def _cast(con: DuckDBPyConnection, table: pa.Table, name: str, kind: str) -> tuple[pa.Table, list[int]]:
    """The table with one column cast, and the rows whose value does not fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    con.register("texts", pa.table({"value": table[name]}))
    cast = con.execute(f"SELECT TRY_CAST(value AS {kind}) AS value FROM texts").to_arrow_table()["value"]
    con.unregister("texts")
    misfits = pc.and_(pc.is_valid(table[name]), pc.is_null(cast))
    rows: list[int] = pc.indices_nonzero(misfits).to_pylist()
    return table.set_column(table.column_names.index(name), name, cast), rows


def _taken_out(table: pa.Table, rows: Iterable[int]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    out = pa.array(sorted(rows), pa.int64())
    if not len(out):
        return table
    return table.filter(pc.invert(pc.is_in(pa.array(range(table.num_rows), pa.int64()), value_set=out)))


def _as_errors(source: _Source, reasons: dict[int, tuple[str, str]], rejected: list[RowError]) -> Generator[RowError]:
    """Errors for rows that DuckDB's parser accepted: their lines are found by reading the file again."""
    if not reasons:
        return
    lines = {error.line for error in rejected}
    rows = accepted_rows(source.file, source.delimiter, header=source.header, rejected=lines)
    for number, (line, raw) in enumerate(islice(rows, max(reasons) + 1)):
        if number in reasons:
            column, kind = reasons[number]
            yield RowError(line, column, f"cast: the value is no {kind.lower()}", raw[:SHOWN])


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
        return dict.fromkeys(names, TEXT)
    if missing := [name for name in schema.names if name not in names]:
        raise SourceError(
            f"{path} has no column {', '.join(missing)}",
            code="SCHEMA_MISMATCH",
            hint=f"Its header says {', '.join(names)}",
        )
    con.register("wanted", schema.empty_table())
    wanted = {row[0]: row[1] for row in con.execute("DESCRIBE wanted").fetchall()}
    return {name: wanted.get(name, TEXT) for name in names}


def _statement(source: _Source, types: dict[str, str], more: str) -> str:
    columns = ", ".join(f"{_literal(name)}: {_literal(kind)}" for name, kind in types.items())
    options = (
        f"auto_detect = false, header = {source.header}, delim = {_literal(source.delimiter)}, quote = '\"', "
        f"escape = '\"', nullstr = '', max_line_size = {LONGEST_LINE}, columns = {{{columns}}}, {more}"
    )
    return f"SELECT {', '.join(map(quote, types))} FROM read_csv({_literal(str(source.file))}, {options})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _rejected(con: DuckDBPyConnection, file: Path) -> list[RowError]:
    """DuckDB's rejects, one a row of the file, with the line counted in the file: DuckDB counts records."""
    rows = con.execute(
        "SELECT line_byte_position, column_name, error_type, error_message, left(csv_line, ?) FROM reject_errors "
        "QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx) = 1 ORDER BY line_byte_position",
        [SHOWN],
    ).fetchall()
    lines = lines_at(file, [int(row[0] or 0) for row in rows])
    return [
        RowError(line, column, f"{kind.lower()}: {message}", raw.strip("\r\n"))
        for line, (_, column, kind, message, raw) in zip(lines, rows, strict=True)
    ]
