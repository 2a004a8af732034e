# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types, and makes its compute functions at import)
"""Validation of Arrow tables: rows that break a rule are set apart with the reasons, the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataflow.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Rule:
    """What every row must fulfil, of one column. Nulls only break `required`.

    Bounds are inclusive; `pattern` is a regular expression (RE2) that must be found in the text.
    """

    column: str
    required: bool = False
    minimum: Any = None
    maximum: Any = None
    one_of: Sequence[Any] | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Validated:
    """The rows that keep every rule, and the others with a column `reasons`, a list of text."""

    valid: pa.Table
    rejected: pa.Table


def validate(table: pa.Table, rules: Sequence[Rule]) -> Validated:
    """Part a table by rules, each checked on the whole column at once.

    Raises:
        UsageError: COLUMN_MISSING; RULE_TYPES, a rule's values do not go with the column's type.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    checks = [check for rule in rules for check in _checks(table, rule)]
    broken = [pc.fill_null(mask, False) for _, mask in checks]
    none = pa.chunked_array([pa.array([False] * table.num_rows)])
    bad = broken[0] if broken else none
    for mask in broken[1:]:
        bad = pc.or_(bad, mask)
    rejected = table.filter(bad)
    columns = [mask.filter(bad).to_pylist() for mask in broken]
    reasons = [[text for (text, _), hit in zip(checks, row, strict=True) if hit] for row in zip(*columns, strict=True)]
    return Validated(
        table.filter(pc.invert(bad)), rejected.append_column("reasons", pa.array(reasons, pa.list_(pa.string())))
    )


def _checks(table: pa.Table, rule: Rule) -> list[tuple[str, pa.ChunkedArray]]:
    """What each part of a rule says, and where it is broken."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if rule.column not in table.column_names:
        raise UsageError(f"There is no column {rule.column!r}", code="COLUMN_MISSING")
    values = table[rule.column]
    found: list[tuple[str, pa.ChunkedArray]] = []
    try:
        if rule.required:
            found.append((f"{rule.column} is missing", pc.is_null(values)))
        if rule.minimum is not None:
            found.append((f"{rule.column} is below {rule.minimum}", pc.less(values, rule.minimum)))
        if rule.maximum is not None:
            found.append((f"{rule.column} is above {rule.maximum}", pc.greater(values, rule.maximum)))
        if rule.one_of is not None:
            known = pc.is_in(values, value_set=pa.array(list(rule.one_of), type=values.type))
            listed = ", ".join(map(str, rule.one_of))
            found.append((f"{rule.column} is none of {listed}", pc.and_(pc.is_valid(values), pc.invert(known))))
        if rule.pattern is not None:
            matches = pc.match_substring_regex(values, rule.pattern)
            found.append((f"{rule.column} does not look like {rule.pattern}", pc.invert(matches)))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as exc:
        message = f"The rule for {rule.column} does not go with its type, {values.type}"
        raise UsageError(message, code="RULE_TYPES", hint=str(exc)) from exc
    return found
