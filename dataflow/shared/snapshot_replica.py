"""Bringing a replica up to what the live warehouse holds, by copying only what differs.

The rows of a replica lie in the order of the live table, so a row group of the live table is a range of places in it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.shared.identifiers import quote
from dataflow.shared.snapshot_contents import Contents, RowGroup, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

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


@dataclass(frozen=True, slots=True)
class Replication:
    """A connection that has the replica attached, as its default database and under `catalog`, and the warehouse
    as `live`. Tables are named from the database on: a schema may be called as a database is.
    """

    connection: DuckDBPyConnection
    catalog: str
    live: str

    def execute(self, statement: str) -> DuckDBPyConnection:
        """Run one statement on the connection."""
        return self.connection.execute(statement)

    def ours(self, name: str) -> str:
        """A schema, table or view of the replica."""
        return f"{quote(self.catalog)}.{name}"

    def theirs(self, name: str) -> str:
        """The same of the warehouse."""
        return f"{quote(self.live)}.{name}"


def update(work: Replication, old: Contents | None, new: Contents) -> int:
    """Make the replica, which holds `old`, equal to the warehouse, which holds `new`; returns the rows copied."""
    before = old.tables if old else {}
    changed = {name: _difference(before.get(name), table) for name, table in new.tables.items()}
    changed = {name: spans for name, spans in changed.items() if spans is None or spans}
    linked = {
        name
        for name, table in {**before, **new.tables}.items()
        if any("FOREIGN KEY" in sql for sql in table.definition)
    }
    anew = {name for name, found in changed.items() if found is None}
    _make_base(work, old, new)
    if linked:  # tables bound by foreign keys can only be emptied and filled together, and are rare in a warehouse
        anew |= new.tables.keys() if changed or before.keys() - new.tables.keys() else set()
    _in_any_order(work, [f"DROP TABLE {work.ours(name)}" for name in before if name in anew or name not in new.tables])
    _in_any_order(work, [new.tables[name].definition[0] for name in sorted(anew)])
    rows = _fill(work, {name: new.tables[name] for name in sorted(anew)})
    for name, found in changed.items():
        if name not in anew:
            rows += _patch(work, name, new.tables[name], found or [])
    _make_views(work, old, new)
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


def _make_base(work: Replication, old: Contents | None, new: Contents) -> None:
    if old is not None and old.views != new.views:
        _drop_views(work)
    for schema in new.schemas:
        work.execute(f"CREATE SCHEMA IF NOT EXISTS {work.ours(schema)}")
    if old is None:
        _in_any_order(work, new.base, give_up=True)


def _drop_views(work: Replication) -> None:
    query = (
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"
    )
    for schema, view in work.execute(query).fetchall():
        work.execute(f"DROP VIEW {work.ours(quote(schema))}.{quote(view)}")


def _make_views(work: Replication, old: Contents | None, new: Contents) -> None:
    """Views that no longer work in the live file are left out: they cannot be made again."""
    for schema in set(old.schemas if old else ()) - set(new.schemas):
        work.execute(f"DROP SCHEMA {work.ours(schema)} CASCADE")
    if old is None or old.views != new.views:
        _in_any_order(work, new.views, give_up=True)


def _fill(work: Replication, tables: dict[str, Table]) -> int:
    """Copy whole tables, those that others refer to first, then make their indexes."""
    _in_any_order(work, [_insert(work, name) for name in tables])
    for table in tables.values():
        for statement in table.definition[1:]:
            work.execute(statement)
    return sum(table.rows for table in tables.values())


def _insert(work: Replication, name: str, where: str = "") -> str:
    columns = ", ".join(_stored_columns(work, name))
    return f"INSERT INTO {work.ours(name)} ({columns}) SELECT {columns} FROM {work.theirs(name)} {where}"


def _patch(work: Replication, name: str, table: Table, found: list[Span]) -> int:
    """Overwrite and replace spans; a table whose rows do not add up afterwards is filled anew."""
    for span in found:
        place = sum(group.live for group in table.groups[: span.first])
        (_overwrite if span.in_place else _replace_rest)(work, name, table, span, place)
    if _count(work, name) == table.rows:
        return sum(_live(table, span) for span in found)
    work.execute(f"DELETE FROM {work.ours(name)}")
    work.execute(_insert(work, name))
    return table.rows


def _replace_rest(work: Replication, name: str, table: Table, span: Span, place: int) -> None:
    first = work.execute(f"SELECT rowid FROM {work.ours(name)} LIMIT 1 OFFSET {place}").fetchone()
    if first is not None:
        work.execute(f"DELETE FROM {work.ours(name)} WHERE rowid >= {first[0]}")
    begin = sum(group.stored for group in table.groups[: span.first])
    work.execute(_insert(work, name, f"WHERE rowid >= {begin}"))


def _overwrite(work: Replication, name: str, table: Table, span: Span, place: int) -> None:
    """Row by row in their order: the n-th row of the live group goes over the n-th row from `place` on."""
    begin = sum(group.stored for group in table.groups[: span.first])
    end, live = begin + table.groups[span.first].stored, table.groups[span.first].live
    columns, ours = _stored_columns(work, name), work.ours(name)
    unique = uuid.uuid4().hex  # a column of the table may be called anything, also as what is named here
    order, row, source, target = (quote(f"{what}_{unique}") for what in ("order", "row", "source", "target"))
    assignments = ", ".join(f"{column} = {source}.{column}" for column in columns)
    work.execute(
        f"UPDATE {ours} SET {assignments} FROM (SELECT row_number() OVER () AS {order}, * FROM {work.theirs(name)} "
        f"WHERE rowid >= {begin} AND rowid < {end}) AS {source}, (SELECT row_number() OVER () AS {order}, {row} FROM "
        f"(SELECT rowid AS {row} FROM {ours} LIMIT {live} OFFSET {place})) AS {target} "
        f"WHERE {source}.{order} = {target}.{order} AND {ours}.rowid = {target}.{row}"
    )


def _stored_columns(work: Replication, name: str) -> list[str]:
    """All columns but generated ones, which DuckDB does not tell apart in its catalog but refuses to insert into."""
    columns = [quote(row[0]) for row in work.execute(f"DESCRIBE {work.ours(name)}").fetchall()]
    return [column for column in columns if _is_stored(work, name, column)]


def _is_stored(work: Replication, name: str, column: str) -> bool:
    import duckdb

    try:
        work.execute(f"EXPLAIN INSERT INTO {work.ours(name)} ({column}) SELECT NULL")
    except duckdb.BinderException:
        return False
    return True


def _in_any_order(work: Replication, statements: Iterable[str], *, give_up: bool = False) -> None:
    """Execute statements that may need one another, trying again those that failed while any succeeds."""
    import duckdb

    left = list(statements)
    while left:
        failed: list[str] = []
        error: duckdb.Error | None = None
        for statement in left:
            try:
                work.execute(statement)
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


def _count(work: Replication, name: str) -> int:
    row = work.execute(f"SELECT count(*) FROM {work.ours(name)}").fetchone()
    return int(row[0]) if row else 0
