"""Look into the warehouse and put files into it. Reading never waits for a run: the snapshot answers, and says so."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataflow.errors import Action, UsageError
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.shared import db
from dataflow.shared.cancelling import Cancel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Source = Literal["live", "snapshot"]
_INTERNAL = ("information_schema", "pg_catalog")


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view of the warehouse. `rows` is an estimate of DuckDB's; None for views."""

    schema: str
    name: str
    kind: Literal["table", "view"]
    columns: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class TableList:
    """What the warehouse holds. `stale`: a run holds the warehouse, and this is as of the last one's end."""

    tables: tuple[Table, ...]
    source: Source
    as_of: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Rows of an answer. `truncated`: there are more than `limit` asked for."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    source: Source
    as_of: datetime | None
    stale: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class FileWritten:
    """A file that an answer or a table was written to."""

    path: Path
    rows: int
    bytes: int
    source: Source
    as_of: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class Ingested:
    """How many rows of a file went where. `quarantined` rows were not taken, with the first reasons."""

    table: str
    rows: int
    inserted: int
    updated: int
    quarantined: int
    reasons: tuple[str, ...]


def tables(context: Context) -> TableList:
    """Every table and view, by schema and name."""
    sql = """
        SELECT schema_name, table_name, 'table', column_count, estimated_size FROM duckdb_tables() WHERE NOT internal
          AND database_name = current_database() AND NOT temporary
        UNION ALL
        SELECT schema_name, view_name, 'view', column_count, NULL FROM duckdb_views() WHERE NOT internal
          AND database_name = current_database() AND NOT temporary
        ORDER BY 1, 2"""
    if not context.warehouse.exists():
        return TableList((), "live", None, stale=False)
    with db.read_connection(context.warehouse) as reader:
        rows = reader.connection.execute(sql).fetchall()
        return TableList(tuple(Table(*row) for row in rows), reader.source, reader.as_of, reader.stale)


def query(
    context: Context, sql: str, *, limit: int = 100, write: bool = False, cancel: Cancel | None = None
) -> QueryResult:
    """Run one statement and return at most `limit` rows. Only reads, unless `write`, which also takes several.

    `cancel`: what may end it while it reads.

    Raises:
        UsageError: SQL_EMPTY, SQL_MANY.
        WarehouseError: WAREHOUSE_SQL, WAREHOUSE_LOCKED, WAREHOUSE_MISSING and others of `shared.db`.
        Interrupted: it was cancelled.
    """
    began = time.monotonic()
    _require_statement(sql, many=write)
    if write:
        wait = context.loaded.settings.warehouse.lock_wait
        with (
            audited(context, "data query --write", sql[:200]),
            db.write_connection(context.warehouse, wait=wait) as connection,
        ):
            result = _fetch(connection, sql, limit, began, ("live", None, False))
        _publish(context)
        return result
    with db.read_connection(context.warehouse) as reader, (cancel or Cancel()).watching(reader.connection):
        return _fetch(reader.connection, sql, limit, began, (reader.source, reader.as_of, reader.stale))


def export(context: Context, what: str, path: Path, *, replace: bool = False) -> FileWritten:
    """Write a table or the answer of a SELECT to a .parquet, .csv or .json file, the whole file or nothing.

    Raises:
        UsageError: FORMAT_UNKNOWN, FILE_EXISTS.
    """
    formats = {
        ".parquet": "FORMAT parquet",
        ".csv": "FORMAT csv, HEADER",
        ".json": "FORMAT json, ARRAY",
        ".jsonl": "FORMAT json",
    }
    chosen = formats.get(path.suffix.lower())
    if chosen is None:
        hint = f"The name must end in one of {', '.join(formats)}."
        raise UsageError(f"Unknown format of '{path.name}'.", code="FORMAT_UNKNOWN", hint=hint)
    if path.exists() and not replace:
        actions = (Action("Write over it", f"dataflow data export … {path} --replace"),)
        raise UsageError(f"{path} exists.", code="FILE_EXISTS", actions=actions)
    source = f"({what.rstrip().rstrip(';')})" if " " in what.strip() else db.qualified(what)
    partial = path.with_name(f".{path.name}.partial")
    with db.read_connection(context.warehouse) as reader:
        try:
            target = str(partial).replace("'", "''")
            row = _only_tables(reader.connection).execute(f"COPY {source} TO '{target}' ({chosen})").fetchone()
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return FileWritten(path, row[0] if row else 0, path.stat().st_size, reader.source, reader.as_of, reader.stale)


def ingest(
    context: Context, path: Path, table: str, *, mode: db.LoadMode = "append", key: tuple[str, ...] = ()
) -> Ingested:
    """Load a CSV, JSON or Parquet file into a table, which is made where there is none.

    Raises:
        UsageError: FILE_MISSING, FORMAT_UNKNOWN, KEY_MISSING.
        SourceError: the file cannot be read at all. Single bad rows are counted, not fatal.
    """
    from dataflow.shared import ingest as readers

    if not path.is_file():
        raise UsageError(f"There is no file {path}.", code="FILE_MISSING")
    if mode == "upsert" and not key:
        raise UsageError("Upsert needs the columns that identify a row.", code="KEY_MISSING", hint="Add --key COLUMN.")
    kinds = {
        ".csv": readers.read_csv,
        ".tsv": readers.read_csv,
        ".json": readers.read_json,
        ".jsonl": readers.read_json,
    }
    kinds |= {".ndjson": readers.read_json, ".parquet": readers.read_parquet}
    name = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    read = kinds.get(name.lower())
    if read is None:
        hint = f"The name must end in one of {', '.join(kinds)}."
        raise UsageError(f"Unknown format of '{path.name}'.", code="FORMAT_UNKNOWN", hint=hint)
    wait = context.loaded.settings.warehouse.lock_wait
    with audited(context, "data ingest", f"{path.name} into {table}"):
        found = read(path)
        with db.write_connection(context.warehouse, wait=wait) as connection:
            loaded = db.load_arrow(connection, found.table, into=table, mode=mode, key=key)
    _publish(context)
    bad = found.quarantined
    reasons = tuple(f"line {row.line}: {row.reason}" for row in bad[:5])
    return Ingested(table, loaded.rows_read, loaded.rows_inserted, loaded.rows_updated, len(bad), reasons)


def _require_statement(sql: str, *, many: bool) -> None:
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error:
        return  # running it says what is wrong, with its place
    if not statements:
        raise UsageError("There is no statement.", code="SQL_EMPTY", hint='For example: "select 42 as answer".')
    if len(statements) > 1 and not many:
        hint = "Ask one after the other; --write takes several."
        raise UsageError(f"These are {len(statements)} statements.", code="SQL_MANY", hint=hint)


def _fetch(
    connection: DuckDBPyConnection, sql: str, limit: int, began: float, source: tuple[Source, datetime | None, bool]
) -> QueryResult:
    answer = _only_tables(connection).execute(sql)
    described = answer.description or []
    rows = answer.fetchmany(limit + 1) if described else []
    return QueryResult(
        tuple(str(column[0]) for column in described),
        tuple(str(column[1]) for column in described),
        tuple(rows[:limit]),
        len(rows) > limit,
        *source,
        round(time.monotonic() - began, 4),
    )


def _only_tables(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    """The connection, in which a name in the user's SQL never means a variable of this program."""
    return connection.execute("SET python_enable_replacements = false")


def _publish(context: Context) -> None:
    from dataflow.shared import snapshot

    snapshot.publish(context.warehouse)
