"""Which columns tell which rows of two tables belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dataflow.errors import UsageError
from dataflow.operations.diff_catalog import Relation
from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Measures may be unique by chance, and are what changes; names, numbers of things, days and times are not.
_IDENTIFYING = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|VARCHAR|DATE|TIMESTAMP.*|UUID|ENUM\(.*", re.DOTALL)
_LONGEST = 4
_NEARLY = 0.8  # approx_count_distinct is off by a few percent


def find_key(
    connection: DuckDBPyConnection, before: Relation, after: Relation, given: Sequence[str]
) -> tuple[str, ...]:
    """The columns, spelt as in `after`: those given; else a declared key, or the first columns that are unique.

    Empty where there are none: then rows can only be counted.

    Raises:
        UsageError: KEY_AMBIGUOUS; rows of one side share the key that was given.
    """
    if given:
        key = tuple(after.spelt(name.lower()) for name in given)
        for side, relation in (("first", before), ("second", after)):
            if not _unique(connection, relation, key):
                message = f"In the {side} warehouse, rows of {after.schema}.{after.name} share {', '.join(key)}."
                hint = "Name more columns, or leave --key out: then a key is looked for."
                raise UsageError(message, code="KEY_AMBIGUOUS", hint=hint)
        return key
    candidates = (*_declared(before, after), *_likely(connection, before, after))
    sides = (after, before)
    return next((key for key in candidates if all(_identifies(connection, side, key) for side in sides)), ())


def _declared(before: Relation, after: Relation) -> Iterator[tuple[str, ...]]:
    for key in (*after.keys, *before.keys):
        lowered = [name.lower() for name in key]
        if all(name in after.lowered and name in before.lowered for name in lowered):
            yield tuple(after.spelt(name) for name in lowered)


def _likely(connection: DuckDBPyConnection, before: Relation, after: Relation) -> Iterator[tuple[str, ...]]:
    """Single columns first, then the first two, three, four."""
    columns = [
        name
        for name, kind in after.columns.items()
        if before.lowered.get(name.lower()) == kind and _IDENTIFYING.fullmatch(kind)
    ]
    if not columns:
        return
    counts = ", ".join(f"approx_count_distinct({quote(name)})" for name in columns)
    rows, *distinct = connection.execute(f"SELECT count(*), {counts} FROM {after.qualified}").fetchall()[0]
    yield from ((name,) for name, number in zip(columns, distinct, strict=True) if number >= _NEARLY * rows)
    yield from (tuple(columns[:length]) for length in range(2, min(len(columns), _LONGEST) + 1))


def _identifies(connection: DuckDBPyConnection, relation: Relation, key: Sequence[str]) -> bool:
    """Unique, and never missing."""
    missing = " OR ".join(f"{quote(name)} IS NULL" for name in key)
    found = connection.execute(f"SELECT 1 FROM {relation.qualified} WHERE {missing} LIMIT 1").fetchall()
    return not found and _unique(connection, relation, key)


def _unique(connection: DuckDBPyConnection, relation: Relation, key: Sequence[str]) -> bool:
    columns = ", ".join(map(quote, key))
    sql = f"SELECT 1 FROM {relation.qualified} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1"
    return not connection.execute(sql).fetchall()
