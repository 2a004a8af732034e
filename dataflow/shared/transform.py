# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types, and makes its compute functions at import)
"""Cleaning, mapping, de-duplication and validation of Arrow tables, column by column, never row by row in Python."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from dataflow.errors import UsageError
from dataflow.shared.validation import Rule, Validated, validate

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "Rule",
    "Validated",
    "clean_columns",
    "clean_text",
    "convert_units",
    "deduplicate",
    "map_values",
    "to_utc",
    "validate",
]

RANK = "\0rank"  # no column of a real table is called so
WITH_ZONE = r"(Z|[+-]\d\d:?\d\d)$"


def clean_columns(table: pa.Table) -> pa.Table:
    """Column names as snake_case ASCII: `Größe (mm)` becomes `grosse_mm`; doubles get `_2`, `_3`."""
    taken: dict[str, int] = {}
    names: list[str] = []
    for name in table.column_names:
        clean = _snake(name) or "column"
        taken[clean] = taken.get(clean, 0) + 1
        names.append(clean if taken[clean] == 1 else f"{clean}_{taken[clean]}")
    return table.rename_columns(names)


def clean_text(table: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
    """Text without white space around it, empty text as null; all text columns unless some are named."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = columns or [field.name for field in table.schema if pa.types.is_string(field.type)]
    for name in chosen:
        trimmed = pc.utf8_trim_whitespace(_column(table, name))
        table = _replaced(table, name, pc.if_else(pc.equal(trimmed, ""), None, trimmed))
    return table


def map_values(table: pa.Table, column: str, mapping: Mapping[Any, Any], *, default: Any = None) -> pa.Table:
    """Replace the values of a column. Values without a mapping become `default`, or stay when that is `...`.

    Raises:
        UsageError: COLUMN_MISSING; MAPPING_TYPES, the keys are not of the column's type.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _column(table, column)
    try:
        keys = pa.array(list(mapping), type=values.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as exc:
        hint = f"{column} holds {values.type}"
        raise UsageError(f"The keys of the mapping are no values of {column}", code="MAPPING_TYPES", hint=hint) from exc
    targets = pa.array(list(mapping.values()))
    mapped = pc.take(targets, pc.index_in(values, value_set=keys))
    if default is ...:
        mapped = pc.coalesce(mapped.cast(values.type), values)
    elif default is not None:
        mapped = pc.coalesce(mapped, pa.scalar(default, type=mapped.type))
    return _replaced(table, column, mapped)


def deduplicate(
    table: pa.Table,
    key: Sequence[str],
    *,
    keep: Literal["first", "last"] = "last",
    order_by: str | None = None,
) -> pa.Table:
    """One row a key: the first or last in the order of `order_by` (nulls lowest), or as the rows stand.

    Among equals the place in the table decides. The rows that stay keep their order.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in [*key, *([order_by] if order_by else [])]:
        _column(table, name)
    place = pa.array(range(table.num_rows), type=pa.int64())
    if order_by:
        ranked = pa.table({"known": pc.is_valid(table[order_by]), "by": table[order_by], "place": place})
        order = pc.sort_indices(ranked, [(name, "ascending") for name in ranked.column_names])
        # rank[i] is the place of row i in the sorted order: the inverse of that permutation
        rank = pc.sort_indices(order).cast(pa.int64())
    else:
        order = rank = place
    keys = pa.table({**{name: table[name] for name in key}, RANK: rank})
    picked = keys.group_by(list(key)).aggregate([(RANK, "max" if keep == "last" else "min")])
    rows = pc.take(order, picked.column(picked.num_columns - 1).combine_chunks())
    return table.take(pc.take(rows, pc.sort_indices(rows)))


def to_utc(table: pa.Table, column: str, *, zone: str = "UTC") -> pa.Table:
    """A column of times as timestamps in UTC, to the microsecond.

    Text is read as ISO 8601, all of it with a zone or all of it without. Times without a zone are taken to be in
    `zone`; an hour that a clock change repeats is taken as the earlier one, one that it skips as the change itself.

    Raises:
        UsageError: COLUMN_MISSING; TIMES_UNREADABLE, with the value that is no time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _column(table, column)
    utc = pa.timestamp("us", tz="UTC")
    try:
        if pa.types.is_string(values.type):
            zoned = pc.any(pc.match_substring_regex(values, WITH_ZONE)).as_py()
            values = values.cast(utc if zoned else pa.timestamp("us"))
        if pa.types.is_timestamp(values.type) and values.type.tz is None:
            values = pc.assume_timezone(values, zone, ambiguous="earliest", nonexistent="latest")
        return _replaced(table, column, values.cast(utc))
    except pa.ArrowInvalid as exc:
        raise UsageError(f"{column} holds values that are no times: {exc}", code="TIMES_UNREADABLE") from exc


def convert_units(table: pa.Table, column: str, factor: float, *, where: tuple[str, Any] | None = None) -> pa.Table:
    """Multiply a column by a factor, in all rows or only `where=("unit", "mmol/L")` another column has a value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = _column(table, column).cast(pa.float64())
    converted = pc.multiply(values, factor)
    if where is not None:
        there = pc.fill_null(pc.equal(_column(table, where[0]), where[1]), False)
        converted = pc.if_else(there, converted, values)
    return _replaced(table, column, converted)


def _sorted(names: Sequence[str]) -> str:
    return ", ".join(sorted(names))


def _snake(name: str) -> str:
    spelled = name.replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^0-9a-z]+", "_", split.lower()).strip("_")


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        hint = f"The columns are {_sorted(table.column_names)}"
        raise UsageError(f"There is no column {name!r}", code="COLUMN_MISSING", hint=hint)
    return table[name]


def _replaced(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)
