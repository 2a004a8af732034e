"""Rows of a table in two warehouses, compared in DuckDB: what is on one side only, and what changed under its key.

Tables that are equal are told by a digest of each side: the sum of their rows' hashes, which reads each once. All else
is one join, or without a key one aggregation, and both of them go to disk where they do not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dataflow.operations.diff_catalog import Relation
from dataflow.operations.diff_key import find_key
from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column that only one side has, or that has another type."""

    name: str
    change: Literal["added", "removed", "type"]
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that is not the same. Of a changed one `before` and `after` hold what changed, of others all but the key.

    `copies`: how many such rows, in a table without a key.
    """

    change: Literal["added", "removed", "changed"]
    key: dict[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    copies: int = 1


@dataclass(frozen=True, slots=True)
class RowsCompared:
    """How many rows each side has, and how many are not the same."""

    rows_before: int
    rows_after: int
    key: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    sample: tuple[RowChange, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether any row does."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns that both sides have, and their SQL on each: where the type changed, the old value as the new."""

    names: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]


def compare_rows(
    connection: DuckDBPyConnection, before: Relation, after: Relation, key: Sequence[str], limit: int
) -> RowsCompared:
    """Compare by the columns that both have. `key`: as given by the user; where it is empty, one is looked for.

    Raises:
        UsageError: KEY_AMBIGUOUS; rows of one side share the key.
    """
    common = _common(before, after)
    if not common.names:
        rows = (before.count(connection), after.count(connection))
        return RowsCompared(*rows, removed=rows[0], added=rows[1])
    rows, equal = _digests(connection, before, after, common)
    if equal:
        return RowsCompared(*rows)
    chosen = find_key(connection, before, after, key)
    if chosen:
        return _by_key(connection, (before, after), common, RowsCompared(*rows, key=chosen), limit)
    return _as_multisets(connection, (before, after), common, RowsCompared(*rows), limit)


def _common(before: Relation, after: Relation) -> _Columns:
    old, new = before.lowered, after.lowered
    names = [name for name in new if name in old]
    spelt = [quote(before.spelt(name)) for name in names]
    return _Columns(
        tuple(after.spelt(name) for name in names),
        tuple(
            column if old[name] == new[name] else f"TRY_CAST({column} AS {new[name]})"
            for name, column in zip(names, spelt, strict=True)
        ),
        tuple(quote(after.spelt(name)) for name in names),
    )


def _digests(
    connection: DuckDBPyConnection, before: Relation, after: Relation, common: _Columns
) -> tuple[tuple[int, int], bool]:
    """How many rows each side has, and whether they are the same, in whatever order."""
    found = [
        connection.execute(
            f"SELECT count(*), coalesce(sum(hash({', '.join(columns)})::HUGEINT), 0) FROM {relation.qualified}"
        ).fetchall()[0]
        for relation, columns in ((before, common.before), (after, common.after))
    ]
    return (int(found[0][0]), int(found[1][0])), found[0] == found[1]


def _by_key(
    connection: DuckDBPyConnection, sides: tuple[Relation, Relation], common: _Columns, rows: RowsCompared, limit: int
) -> RowsCompared:
    keys = [common.names.index(name) for name in rows.key]
    others = [number for number in range(len(common.names)) if number not in keys]
    found = connection.execute(_join(sides, common, keys, others, limit)).fetchall()
    counts: dict[str, Any] = {change: count for change, count, _ in found}
    sample = [_keyed(change, one, common.names, keys, others) for change, _, told in found for one in told[:limit]]
    return replace(rows, **counts, sample=_in_order(sample))


def _join(sides: tuple[Relation, Relation], common: _Columns, keys: list[int], others: list[int], limit: int) -> str:
    """One join of both sides: each change with its number of rows, and the first rows by key.

    Columns are called by their number in it: a table's own names may be anything.
    """
    before, after = (
        f"(SELECT {_numbered(columns)}, 1 AS there FROM {side.qualified})"
        for side, columns in zip(sides, (common.before, common.after), strict=True)
    )
    same_key = " AND ".join(f"b.c{number} IS NOT DISTINCT FROM a.c{number}" for number in keys)
    changed = " OR ".join(f"b.c{number} IS DISTINCT FROM a.c{number}" for number in others) or "false"
    key = ", ".join(f"'k{number}': coalesce(b.c{number}, a.c{number})" for number in keys)
    told = ", ".join([key, *(f"'b{number}': b.c{number}, 'a{number}': a.c{number}" for number in others)])
    return f"""
        SELECT change, count(*), arg_min(told, key, {max(limit, 1)}) FROM (
            SELECT CASE WHEN b.there IS NULL THEN 'added' WHEN a.there IS NULL THEN 'removed'
                        WHEN {changed} THEN 'changed' END AS change, {{{told}}} AS told, {{{key}}} AS key
            FROM {before} AS b FULL JOIN {after} AS a ON {same_key})
        WHERE change IS NOT NULL GROUP BY change"""


def _keyed(change: Any, told: dict[str, Any], names: Sequence[str], keys: list[int], others: list[int]) -> RowChange:
    before = {names[number]: told[f"b{number}"] for number in others}
    after = {names[number]: told[f"a{number}"] for number in others}
    if change == "changed":
        moved = [name for name in before if not _equal(before[name], after[name])]
        before, after = {name: before[name] for name in moved}, {name: after[name] for name in moved}
    key = {names[number]: told[f"k{number}"] for number in keys}
    return RowChange(change, key, None if change == "added" else before, None if change == "removed" else after)


def _as_multisets(
    connection: DuckDBPyConnection, sides: tuple[Relation, Relation], common: _Columns, rows: RowsCompared, limit: int
) -> RowsCompared:
    """Each row of one side against an equal one of the other: what is left over was added or removed."""
    row = ", ".join(f"'c{number}': c{number}" for number in range(len(common.names)))
    both = " UNION ALL ".join(
        f"SELECT {_numbered(names)}, {sign} AS sign FROM {side.qualified}"
        for side, names, sign in zip(sides, (common.before, common.after), (-1, 1), strict=True)
    )
    found = connection.execute(f"""
        SELECT CASE WHEN copies > 0 THEN 'added' ELSE 'removed' END AS change, sum(abs(copies))::BIGINT,
               arg_min({{{row}, 'copies': abs(copies)}}, {{{row}}}, {max(limit, 1)})
        FROM (SELECT * EXCLUDE sign, sum(sign) AS copies FROM ({both}) GROUP BY ALL HAVING copies <> 0)
        GROUP BY change""").fetchall()
    counts: dict[str, Any] = {change: count for change, count, _ in found}
    sample = [_whole(change, one, common.names) for change, _, told in found for one in told[:limit]]
    return replace(rows, **counts, sample=_in_order(sample))


def _whole(change: Any, told: dict[str, Any], names: Sequence[str]) -> RowChange:
    row = {name: told[f"c{number}"] for number, name in enumerate(names)}
    before, after = (row, None) if change == "removed" else (None, row)
    return RowChange(change, {}, before, after, int(told["copies"]))


def _numbered(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} AS c{number}" for number, column in enumerate(columns))


def _in_order(sample: list[RowChange]) -> tuple[RowChange, ...]:
    """Changed rows first: that something is new is mostly expected."""
    order = ("changed", "removed", "added")
    return tuple(sorted(sample, key=lambda row: order.index(row.change)))


def _equal(one: Any, other: Any) -> bool:
    """As DuckDB compares: NaN is equal to itself."""
    return one == other or (one != one and other != other)
