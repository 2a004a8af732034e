"""Small words and tables that fit 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES = {
    "running": "green", "healthy": "green", "success": "green", "up": "green", "passed": "green",
    "starting": "yellow", "restarting": "yellow", "queued": "yellow", "canceling": "yellow", "degraded": "yellow",
    "canceled": "yellow", "unknown": "yellow", "unavailable": "dim", "stopped": "dim", "none": "dim", "down": "dim",
    "skipped": "dim", "pass": "green", "warn": "yellow", "fail": "bold red",
    "failed": "bold red", "failure": "bold red", "unhealthy": "bold red", "crash-loop": "bold red",
}  # fmt: skip
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_DECIMALS = 6


def table(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print a table without lines; a column whose name begins with # is a number."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold")
    for row in rows:
        made.add_row(*row)
    console.print(made)


def state(word: str) -> Text:
    """A state in its colour; the word says it all without."""
    from rich.text import Text

    return Text(word, _STYLES.get(word, ""))


def size(number: int | None) -> str:
    """Bytes for people: 1.5 MB."""
    if number is None:
        return "-"
    value = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def ago(moment: datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return "-"
    return span(max(0.0, (datetime.now(UTC) - moment).total_seconds()))


def span(seconds: float) -> str:
    """A long time, in one unit."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} d"


def took(seconds: float | None) -> str:
    """A duration."""
    if seconds is None:
        return "-"
    return f"{seconds:.1f} s" if seconds < _MINUTE else f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"


def value(thing: object) -> str:
    """A setting or parameter: true and false as in its file, - where there is none."""
    if thing is None or thing == ():
        return "-"
    if isinstance(thing, tuple):
        return ", ".join(map(value, thing))
    return str(thing).lower() if isinstance(thing, bool) else str(thing)


def decimals(numbers: Sequence[float]) -> list[str]:
    """Floats of one column with as many decimals as the one that needs most: two at the most, below 1 two digits."""
    finite = [number for number in numbers if math.isfinite(number) and number]
    places = max((_places(number) for number in finite), default=0)
    large = any(abs(number) >= 1e15 for number in finite)
    return [f"{number:.6g}" if large or places > _MOST_DECIMALS else f"{number:.{places}f}" for number in numbers]


def _places(number: float) -> int:
    """How many decimals a number other than 0 needs after rounding."""
    most = 2 if abs(number) >= 1 else 1 - math.floor(math.log10(abs(number)))
    return len(f"{number:.{most}f}".partition(".")[2].rstrip("0"))


def count(number: int, thing: str) -> str:
    """1 row, 2 rows."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
