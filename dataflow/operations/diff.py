"""Compare two warehouses: tables, columns, and rows by key."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataflow.config.validation import suggestion
from dataflow.errors import UsageError
from dataflow.events import Progressed, Report
from dataflow.operations.context import Context
from dataflow.operations.diff_catalog import AFTER, BEFORE, Relation, columns_of, relations
from dataflow.operations.diff_rows import ColumnChange, RowChange, RowsCompared, compare_rows
from dataflow.operations.warehouses import Reading, find_warehouse, reading
from dataflow.shared.connecting import opened
from dataflow.shared.identifiers import parts
from dataflow.shared.snapshot_contents import literal
from dataflow.shared.warehouse_errors import warehouse_errors
from dataflow.system.files import mapped_os_errors

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY = "1GB"  # what does not fit goes to disk


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `stale`: somebody writes to it, and this is as of the last publication."""

    name: str
    path: Path
    source: Literal["live", "snapshot"]
    as_of: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class TableDiff:
    """A table or view that is not the same. Rows of views are not compared.

    `key`: the columns that told which rows belong together; none where a row is only added or removed. `sample`: at
    most `limit` rows of each kind.
    """

    table: str
    kind: Literal["table", "view"]
    change: Literal["added", "removed", "changed"]
    columns: tuple[ColumnChange, ...] = ()
    rows_before: int | None = None
    rows_after: int | None = None
    key: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    sample: tuple[RowChange, ...] = ()


@dataclass(frozen=True, slots=True)
class DiffResult:
    """What is not the same, by name; `same` are the names of the rest."""

    before: Side
    after: Side
    tables: tuple[TableDiff, ...]
    same: tuple[str, ...]
    seconds: float

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.tables)


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """`tables`: only those. `key`: of every table that has these columns. `limit`: rows of each kind in a sample."""

    tables: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    limit: int = 5


def diff(context: Context, before: str, after: str, options: DiffOptions, report: Report) -> DiffResult:
    """Compare two warehouses, named as for `find_warehouse`. Writers of both go on.

    Raises:
        UsageError: WAREHOUSE_UNKNOWN, TABLE_UNKNOWN, KEY_UNKNOWN, KEY_AMBIGUOUS.
        WarehouseError: WAREHOUSE_MISSING and others of `shared.db`; DISK_FULL, where the rows need room to be compared.
    """
    began = time.monotonic()
    sides = (find_warehouse(context, before), find_warehouse(context, after))
    with ExitStack() as stack:
        readings = tuple(stack.enter_context(reading(side)) for side in sides)
        connection = stack.enter_context(_both(context, readings))
        pairs = _chosen(_pairs(connection), options)
        found = [_compare(connection, name, pair, options) for name, pair in _told(pairs, report)]
    named = tuple(
        Side(side.name, side.path, read.source, read.as_of, read.stale)
        for side, read in zip(sides, readings, strict=True)
    )
    different = tuple(one for one in found if one)
    gone = {one.table for one in different}
    same = tuple(name for name in pairs if name not in gone)
    return DiffResult(named[0], named[1], different, same, round(time.monotonic() - began, 2))


Pair = tuple[Relation | None, Relation | None]


@contextmanager
def _both(context: Context, readings: Sequence[Reading]) -> Generator[DuckDBPyConnection]:
    """A database in memory with both files attached, read-only; one file once."""
    spill = context.paths.run / "spill"
    with mapped_os_errors(spill):
        spill.parent.mkdir(parents=True, exist_ok=True)
    with opened(Path(":memory:"), read_only=False, wait=0) as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY}'; SET temp_directory = {literal(str(spill))}")
        connection.execute("SET preserve_insertion_order = false")
        for name, one in zip((BEFORE, AFTER), readings, strict=True):
            if name == AFTER and one.file == readings[0].file:
                continue
            with warehouse_errors(one.file):
                connection.execute(f"ATTACH {literal(str(one.file))} AS {name} (READ_ONLY)")
        yield connection


def _pairs(connection: DuckDBPyConnection) -> dict[str, Pair]:
    """Every table and view of either, by its name."""
    before, after = relations(connection, BEFORE), relations(connection, AFTER)
    return {name: (before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())}


def _chosen(pairs: dict[str, Pair], options: DiffOptions) -> dict[str, Pair]:
    """Those that are asked for. Raises UsageError TABLE_UNKNOWN, KEY_UNKNOWN."""
    wanted = {".".join(("main", *parts(name))[-2:]).lower(): name for name in options.tables}
    found = {name: pair for name, pair in pairs.items() if not wanted or name.lower() in wanted}
    for lowered, name in wanted.items():
        if lowered not in {one.lower() for one in found}:
            hint = suggestion(lowered, pairs) or f"There are: {', '.join(pairs) or 'none'}."
            raise UsageError(f"Neither of the two has a table '{name}'.", code="TABLE_UNKNOWN", hint=hint)
    if options.key and not any(_has_key(pair, options.key) for pair in found.values()):
        named = sorted({column for pair in found.values() for column in columns_of(pair)})
        hint = suggestion(options.key[0], named) or f"There are: {', '.join(named)}."
        message = f"No table that both have has the columns {', '.join(options.key)}."
        raise UsageError(message, code="KEY_UNKNOWN", hint=hint)
    return found


def _has_key(pair: Pair, key: Sequence[str]) -> bool:
    return {column.lower() for column in key} <= {column.lower() for column in columns_of(pair)}


def _told(pairs: dict[str, Pair], report: Report) -> Generator[tuple[str, Pair]]:
    for number, (name, pair) in enumerate(pairs.items()):
        report(Progressed("tables", number, len(pairs), "tables"))
        yield name, pair


def _compare(connection: DuckDBPyConnection, name: str, pair: Pair, options: DiffOptions) -> TableDiff | None:
    """What is not the same in a table; None where all is."""
    before, after = pair
    if before is None or after is None:
        return _one_sided(connection, name, pair)
    if before.kind != after.kind:
        return TableDiff(name, after.kind, "changed", _columns(before, after))
    columns = _columns(before, after)
    if before.kind == "view":
        return TableDiff(name, "view", "changed", columns) if columns or before.sql != after.sql else None
    key = options.key if _has_key(pair, options.key) else ()
    rows = compare_rows(connection, before, after, key, options.limit)
    return _table_diff(name, columns, rows) if columns or rows.differ else None


def _table_diff(name: str, columns: tuple[ColumnChange, ...], rows: RowsCompared) -> TableDiff:
    values: dict[str, Any] = {field: getattr(rows, field) for field in RowsCompared.__dataclass_fields__}
    return TableDiff(name, "table", "changed", columns, **values)


def _one_sided(connection: DuckDBPyConnection, name: str, pair: Pair) -> TableDiff:
    before, after = pair
    one = after or before
    if one is None:
        raise AssertionError(name)
    change = "removed" if before else "added"
    columns = tuple(
        ColumnChange(column, change, kind if before else None, kind if after else None)
        for column, kind in one.columns.items()
    )
    rows = one.count(connection) if one.kind == "table" else None
    return TableDiff(name, one.kind, change, columns, rows if before else None, rows if after else None)


def _columns(before: Relation, after: Relation) -> tuple[ColumnChange, ...]:
    old, new = before.lowered, after.lowered
    return (
        *(ColumnChange(after.spelt(name), "added", None, new[name]) for name in new if name not in old),
        *(ColumnChange(before.spelt(name), "removed", old[name], None) for name in old if name not in new),
        *(
            ColumnChange(after.spelt(name), "type", old[name], new[name])
            for name in new
            if name in old and old[name] != new[name]
        ),
    )
