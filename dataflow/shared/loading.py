# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""Bulk loads into DuckDB: rows go as Arrow or Parquet straight to the engine, never one by one through Python.

Every load is one transaction. An upsert changes only rows that differ, so that loading the same rows again writes
nothing and the next snapshot has nothing to copy.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dataflow.errors import UsageError, WarehouseError
from dataflow.shared.identifiers import parts, quote
from dataflow.shared.lossless import guarded
from dataflow.shared.transactions import transaction

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

MEMORY = 600_000_000  # DuckDB takes about as much again outside its own count
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
LoadMode = Literal["append", "replace", "upsert"]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one load did, in rows. Rows an upsert found unchanged, and duplicates within the batch, are only read."""

    rows_read: int
    rows_inserted: int
    rows_updated: int
    columns_added: tuple[str, ...] = ()


def load_arrow(
    connection: DuckDBPyConnection,
    data: pa.Table | pa.RecordBatchReader,
    *,
    into: str,
    mode: LoadMode = "append",
    key: Sequence[str] = (),
) -> LoadResult:
    """Load an Arrow table, or a stream of batches of any length, into a table; made with its schema when missing.

    Raises:
        UsageError: NAME_INVALID, KEY_MISSING (an upsert without key), KEY_UNKNOWN.
        duckdb.Error: a value does not fit its column; `db.write_connection` turns it into WAREHOUSE_SQL.
    """
    name = f"incoming_{uuid.uuid4().hex}"
    connection.register(name, data)
    try:
        return _load(connection, quote(name), into=into, mode=mode, key=key)
    finally:
        connection.unregister(name)


def load_parquet(
    connection: DuckDBPyConnection,
    source: str | Path | Sequence[str | Path],
    *,
    into: str,
    mode: LoadMode = "append",
    key: Sequence[str] = (),
) -> LoadResult:
    """Load Parquet files (paths or globs; columns matched by name) into a table; made with its schema when missing.

    Raises:
        UsageError: NAME_INVALID, KEY_MISSING, KEY_UNKNOWN.
        duckdb.Error: no such file, or a value does not fit; `db.write_connection` turns it into WAREHOUSE_SQL.
    """
    paths = [source] if isinstance(source, str | Path) else list(source)
    literals = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return _load(connection, f"read_parquet([{literals}], union_by_name = true)", into=into, mode=mode, key=key)


def _load(connection: DuckDBPyConnection, source: str, *, into: str, mode: LoadMode, key: Sequence[str]) -> LoadResult:
    place = parts(into)
    if mode == "upsert" and not key:
        raise UsageError("An upsert needs the key columns", code="KEY_MISSING", hint='Pass key=("id",)')
    schema, target = _in_full(connection, place)
    with _bounded_memory(connection) if key else nullcontext(), transaction(connection):
        if len(place) > 1:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        if mode == "replace" or not (existing := _columns(connection, target)):
            return _create(connection, source, target, key)
        columns = _columns(connection, f"SELECT * FROM {source}")
        added = _add_columns(connection, columns, target, existing)
        source = guarded(source, columns, existing)
        if mode == "append":
            rows = _count(connection, f"INSERT INTO {target} BY NAME SELECT * FROM {source}")
            return LoadResult(rows, rows, 0, added)
        return _upsert(connection, source, target, key, added)


def _create(connection: DuckDBPyConnection, source: str, target: str, key: Sequence[str]) -> LoadResult:
    if not key:
        rows = _count(connection, f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {source}")
        return LoadResult(rows, rows, 0)
    with _staged(connection, source, key) as (staged, rows_read):
        rows = _count(connection, f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {staged}")
        return LoadResult(rows_read, rows, 0)


def _upsert(
    connection: DuckDBPyConnection, source: str, target: str, key: Sequence[str], added: tuple[str, ...]
) -> LoadResult:
    with _staged(connection, source, key) as (staged, rows_read):
        columns = [name for name, _ in _columns(connection, staged)]
        others = [quote(name) for name in columns if name not in key]
        on = " AND ".join(f"target.{quote(name)} IS NOT DISTINCT FROM source.{quote(name)}" for name in key)
        changed = " OR ".join(f"target.{name} IS DISTINCT FROM source.{name}" for name in others)
        update = f"WHEN MATCHED AND ({changed}) THEN UPDATE SET " if others else ""
        names, values = ", ".join(map(quote, columns)), ", ".join(f"source.{quote(name)}" for name in columns)
        before = _count(connection, f"SELECT count(*) FROM {target}")
        touched = _count(
            connection,
            f"MERGE INTO {target} AS target USING {staged} AS source ON {on} "
            + update
            + ", ".join(f"{name} = source.{name}" for name in others)
            + f" WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
        )
        inserted = _count(connection, f"SELECT count(*) FROM {target}") - before
        return LoadResult(rows_read, inserted, touched - inserted, added)


@contextmanager
def _bounded_memory(connection: DuckDBPyConnection) -> Generator[None]:
    """Joining on keys takes as much memory as it may; past this limit DuckDB works through its temporary folder."""
    import duckdb

    before = str(connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0])
    number, unit = before.split()
    if float(number) * UNITS.get(unit, 1) > MEMORY:
        connection.execute(f"SET memory_limit = '{MEMORY}B'")
    try:
        yield
    finally:
        # Inside a caller's transaction that has failed nothing can be set; its connection is of no more use anyway.
        with suppress(duckdb.TransactionException):
            connection.execute(f"SET memory_limit = '{before}'")


@contextmanager
def _staged(connection: DuckDBPyConnection, source: str, key: Sequence[str]) -> Generator[tuple[str, int]]:
    """The batch in a temporary table with one row a key, the last one; a stream can be read only once.

    When the block fails, the load's transaction takes the table away: a DROP would fail in it and hide the reason.
    """
    name = quote(f"staged_{uuid.uuid4().hex}")
    rows = _count(connection, f"CREATE TEMP TABLE {name} AS SELECT * FROM {source}")
    columns = {column for column, _ in _columns(connection, name)}
    if unknown := [column for column in key if column not in columns]:
        raise UsageError(
            f"The key {', '.join(unknown)} is not among the columns of the data",
            code="KEY_UNKNOWN",
            hint=f"The columns are {', '.join(sorted(columns))}",
        )
    _drop_earlier(connection, name, key)
    yield name, rows
    connection.execute(f"DROP TABLE {name}")


def _drop_earlier(connection: DuckDBPyConnection, name: str, key: Sequence[str]) -> None:
    """Names of our own are unique in the statement: the columns are the user's, and may be called anything."""
    with _rowid_to_itself(connection, name, key) as free_key:
        unique = uuid.uuid4().hex
        keys, place, last = ", ".join(map(quote, free_key)), quote(f"place_{unique}"), quote(f"last_{unique}")
        same = " AND ".join(f"{name}.{column} IS NOT DISTINCT FROM {last}.{column}" for column in map(quote, free_key))
        doubled = f"SELECT {keys}, max(rowid) AS {place} FROM {name} GROUP BY {keys} HAVING count(*) > 1"
        connection.execute(
            f"DELETE FROM {name} USING ({doubled}) AS {last} WHERE {same} AND {name}.rowid < {last}.{place}"
        )


@contextmanager
def _rowid_to_itself(connection: DuckDBPyConnection, name: str, key: Sequence[str]) -> Generator[list[str]]:
    """A column that the user calls `rowid` would hide DuckDB's: it has another name for the length of the block.

    Gives the key as it is called meanwhile.
    """
    hiding = [column for column, _ in _columns(connection, name) if column.lower() == "rowid"]
    aside = {column: f"rowid_{uuid.uuid4().hex}" for column in hiding}
    for column, other in aside.items():
        connection.execute(f"ALTER TABLE {name} RENAME COLUMN {quote(column)} TO {quote(other)}")
    yield [aside.get(column, column) for column in key]
    for column, other in aside.items():
        connection.execute(f"ALTER TABLE {name} RENAME COLUMN {quote(other)} TO {quote(column)}")


def _in_full(connection: DuckDBPyConnection, place: Sequence[str]) -> tuple[str, str]:
    """The schema and the table, named from the database on.

    A shorter name may be taken for something else: `temp.t` or `warehouse.t` for a table of the database of that
    name, `tables` (by DESCRIBE) for the list of all tables.
    """
    *before, table = place
    database, schema = connection.execute("SELECT current_database(), current_schema()").fetchall()[0]
    full = [database, schema][: 2 - len(before)] + before
    folder = ".".join(map(quote, full))
    return folder, f"{folder}.{quote(table)}"


def _columns(connection: DuckDBPyConnection, relation: str) -> list[tuple[str, str]]:
    """Names and types of a table's columns; empty when there is no such table."""
    import duckdb

    # Else a Python variable of this module that is called as the table is taken for it.
    python = connection.execute("SELECT current_setting('python_enable_replacements')").fetchall()[0][0]
    connection.execute("SET python_enable_replacements = false")
    try:
        described = connection.execute(f"DESCRIBE {relation}").fetchall()
    except duckdb.CatalogException:
        return []
    finally:
        connection.execute(f"SET python_enable_replacements = {python}")
    return [(row[0], row[1]) for row in described]


def _add_columns(
    connection: DuckDBPyConnection, columns: list[tuple[str, str]], target: str, existing: list[tuple[str, str]]
) -> tuple[str, ...]:
    """Widen the table by the columns that only the data has: a source may send more tomorrow than today."""
    known = {name.lower() for name, _ in existing}
    new = [(name, kind) for name, kind in columns if name.lower() not in known]
    for name, kind in new:
        connection.execute(f"ALTER TABLE {target} ADD COLUMN {quote(name)} {kind}")
    return tuple(name for name, _ in new)


def _count(connection: DuckDBPyConnection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise WarehouseError("DuckDB reported no row count", code="WAREHOUSE_SQL")
    return int(row[0])
