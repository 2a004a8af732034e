"""Bringing a replica up to what the live warehouse holds, by copying only what differs.

The rows of a replica lie in the order of the live table, so a row group of the live table is a range of places in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.shared.identifiers import quote
from dataflow.shared.snapshot_contents import Contents, RowGroup, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LIVE = "live warehouse"  # the name that the live file is attached under; a space keeps it apart from users' names
# Past this share of rows to copy, filling the table anew is quicker, and leaves it without holes.
ANEW = 0.5
# An update of such a table moves rows to its end (DuckDB deletes and inserts them), and the order would be lost.
MOVES_ROWS = re.compile(
    r"PRIMARY KEY|UNIQUE|FOREIGN KEY|CREATE (UNIQUE )?INDEX|\[|MAP\(|UNION\(|STRUCT\(|VARIANT", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Span:
    """Row groups `first` to `last` (not included) of the live table that the replica holds otherwise.

    `in_place`: the replica has as many rows there, and they are overwritten; else all its rows from there on go.
    """

    first: int
    last: int
    in_place: bool


def update(connection: DuckDBPyConnection, old: Contents | None, new: Contents) -> int:
    """Make the connection's default database, a replica that holds `old`, equal to the one attached as LIVE.

    Returns the number of rows copied.
    """
    before = old.tables if old else {}
    changed = {name: _difference(before.get(name), table) for name, table in new.tables.items()}
    changed = {name: spans for name, spans in changed.items() if spans is None or spans}
    linked = {
        name
        for name, table in {**before, **new.tables}.items()
        if any("FOREIGN KEY" in sql for sql in table.definition)
    }
    anew = {name for name, found in changed.items() if found is None}
    _make_base(connection, old, new)
    if linked:  # tables bound by foreign keys can only be emptied and filled together, and are rare in a warehouse
        anew |= new.tables.keys() if changed or before.keys() - new.tables.keys() else set()
    _in_any_order(connection, [f"DROP TABLE {name}" for name in before if name in anew or name not in new.tables])
    _in_any_order(connection, [new.tables[name].definition[0] for name in sorted(anew)])
    rows = _fill(connection, {name: new.tables[name] for name in sorted(anew)})
    for name, found in changed.items():
        if name not in anew:
            rows += _patch(connection, name, new.tables[name], found or [])
    _make_views(connection, old, new)
    return rows


def changed_tables(old: Contents | None, new: Contents) -> tuple[str, ...]:
    """Quoted names of the tables that are new, gone, or not as they were."""
    before = old.tables if old else {}
    names = before.keys() | new.tables.keys()
    return tuple(sorted(name for name in names if before.get(name) != new.tables.get(name)))


def _difference(old: Table | None, new: Table) -> list[Span] | None:
    """Where two states of a table differ; None when it must be, or is better, filled anew."""
    if old is None or old.definition != new.definition:
        return None
    keeps_order = not any(MOVES_ROWS.search(sql) for sql in new.definition)
    found: list[Span] = []
    for index, group in enumerate(new.groups):
        was = old.groups[index] if index < len(old.groups) else RowGroup(0, -1, "")
        if was == group:
            continue
        in_place = keeps_order and was.live == group.live
        found.append(Span(index, index + 1 if in_place else len(new.groups), in_place))
        if not in_place:
            break
    if len(old.groups) > len(new.groups) and (not found or found[-1].in_place):
        found.append(Span(len(new.groups), len(new.groups), in_place=False))
    to_copy = sum(_live(new, span) for span in found)
    return None if to_copy > ANEW * new.rows else found


def _live(table: Table, span: Span) -> int:
    return sum(group.live for group in table.groups[span.first : span.last])


def _make_base(connection: DuckDBPyConnection, old: Contents | None, new: Contents) -> None:
    if old is not None and old.views != new.views:
        _drop_views(connection)
    for schema in new.schemas:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    if old is None:
        _in_any_order(connection, new.base, give_up=True)


def _drop_views(connection: DuckDBPyConnection) -> None:
    query = (
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"
    )
    for schema, view in connection.execute(query).fetchall():
        connection.execute(f"DROP VIEW {quote(schema)}.{quote(view)}")


def _make_views(connection: DuckDBPyConnection, old: Contents | None, new: Contents) -> None:
    """Views that no longer work in the live file are left out: they cannot be made again."""
    for schema in set(old.schemas if old else ()) - set(new.schemas):
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    if old is None or old.views != new.views:
        _in_any_order(connection, new.views, give_up=True)


def _fill(connection: DuckDBPyConnection, tables: dict[str, Table]) -> int:
    """Copy whole tables, those that others refer to first, then make their indexes."""
    _in_any_order(connection, [_insert(connection, name) for name in tables])
    for table in tables.values():
        for statement in table.definition[1:]:
            connection.execute(statement)
    return sum(table.rows for table in tables.values())


def _insert(connection: DuckDBPyConnection, name: str, where: str = "") -> str:
    columns = ", ".join(_stored_columns(connection, name))
    return f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {quote(LIVE)}.{name} {where}"


def _patch(connection: DuckDBPyConnection, name: str, table: Table, found: list[Span]) -> int:
    """Overwrite and replace spans; a table whose rows do not add up afterwards is filled anew."""
    for span in found:
        place = sum(group.live for group in table.groups[: span.first])
        (_overwrite if span.in_place else _replace_rest)(connection, name, table, span, place)
    if _count(connection, name) == table.rows:
        return sum(_live(table, span) for span in found)
    connection.execute(f"DELETE FROM {name}")
    connection.execute(_insert(connection, name))
    return table.rows


def _replace_rest(connection: DuckDBPyConnection, name: str, table: Table, span: Span, place: int) -> None:
    first = connection.execute(f"SELECT rowid FROM {name} LIMIT 1 OFFSET {place}").fetchone()
    if first is not None:
        connection.execute(f"DELETE FROM {name} WHERE rowid >= {first[0]}")
    begin = sum(group.stored for group in table.groups[: span.first])
    connection.execute(_insert(connection, name, f"WHERE rowid >= {begin}"))


def _overwrite(connection: DuckDBPyConnection, name: str, table: Table, span: Span, place: int) -> None:
    """Row by row in their order: the n-th row of the live group goes over the n-th row from `place` on."""
    begin = sum(group.stored for group in table.groups[: span.first])
    end, live = begin + table.groups[span.first].stored, table.groups[span.first].live
    columns = _stored_columns(connection, name)
    assignments = ", ".join(f"{column} = source.{column}" for column in columns)
    connection.execute(
        f"UPDATE {name} SET {assignments} FROM (SELECT row_number() OVER () AS place, * FROM {quote(LIVE)}.{name} "
        f"WHERE rowid >= {begin} AND rowid < {end}) AS source, (SELECT row_number() OVER () AS place, r FROM "
        f"(SELECT rowid AS r FROM {name} LIMIT {live} OFFSET {place})) AS target "
        f"WHERE source.place = target.place AND {name}.rowid = target.r"
    )


def _stored_columns(connection: DuckDBPyConnection, name: str) -> list[str]:
    """All columns but generated ones, which DuckDB does not tell apart in its catalog but refuses to insert into."""
    columns = [quote(row[0]) for row in connection.execute(f"DESCRIBE {name}").fetchall()]
    return [column for column in columns if _is_stored(connection, name, column)]


def _is_stored(connection: DuckDBPyConnection, name: str, column: str) -> bool:
    import duckdb

    try:
        connection.execute(f"EXPLAIN INSERT INTO {name} ({column}) SELECT NULL")
    except duckdb.BinderException:
        return False
    return True


def _in_any_order(connection: DuckDBPyConnection, statements: Iterable[str], *, give_up: bool = False) -> None:
    """Execute statements that may need one another, trying again those that failed while any succeeds."""
    import duckdb

    left = list(statements)
    while left:
        failed: list[str] = []
        error: duckdb.Error | None = None
        for statement in left:
            try:
                connection.execute(statement)
            except (
                duckdb.CatalogException,
                duckdb.BinderException,
                duckdb.ConstraintException,
                duckdb.DependencyException,
            ) as exc:
                error = exc
                failed.append(statement)
        if len(failed) == len(left):
            if give_up or error is None:
                return
            raise error
        left = failed


def _count(connection: DuckDBPyConnection, name: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
    return int(row[0]) if row else 0
