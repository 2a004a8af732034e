"""Values as people read them, with the formats of Evidence that need no browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from dataflow.workflows.report.answers import is_number

_FORMAT = re.compile(r"(usd|eur|gbp|chf|pct|num)(\d?)")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "chf": "CHF "}
_GROUPED = 10_000  # below it, a number may be a year


def formatter(values: Iterable[Any], fmt: str = "") -> Callable[[Any], str]:
    """How to write the values of a column: with one number of decimals. A format that is not known counts as none."""
    found = _FORMAT.fullmatch(fmt)
    kind, digits = (found[1], found[2]) if found else ("", "")
    factor = 100 if kind == "pct" else 1
    places = int(digits) if digits else _places([value * factor for value in values if is_number(value)])
    sign, unit = _SIGNS.get(kind, ""), "%" if kind == "pct" else ""

    def write(value: Any) -> str:
        if not is_number(value):
            return _other(value)
        minus = "-" if value < 0 else ""
        return f"{minus}{sign}{_number(abs(value) * factor, places)}{unit}"

    return write


def _places(numbers: list[Any]) -> int:
    """Decimals that a column needs: two at most."""
    return next(
        (places for places in (0, 1) if all(round(one, places) == round(one, 3) for one in map(float, numbers))), 2
    )


def _number(number: Any, places: int) -> str:
    return f"{number:,.{places}f}" if abs(number) >= _GROUPED else f"{number:.{places}f}"


def _other(value: Any) -> str:
    if value is None:
        return "-"
    return value.isoformat(" ", "seconds") if isinstance(value, datetime) else str(value)
