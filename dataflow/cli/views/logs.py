"""Lines of logs, for people. Their text never reaches the terminal as more than text.

Styles are rendered once and lines written straight to the file: thousands come in a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from dataflow.cli.tables import table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.models import LogLine
    from dataflow.operations.log_query import LogSeries
    from dataflow.operations.logs import LineCounts, Lines, LineStats

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, and what moves the cursor
    r"|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links, the clipboard
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # the rest, and turns of direction
)
_LEVELS = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim"}
_COLOURS = ("cyan", "magenta", "blue", "green", "bright_cyan", "bright_magenta", "bright_blue", "bright_green")
_MOST = 16
_BLOCKS = " ▁▂▃▄▅▆▇█"


def printable(text: str) -> str:
    """Text from a back end without terminal escapes and control characters."""
    return _ESCAPES.sub("", text)


def show_all(console: Console, lines: Iterable[LogLine], show: Callable[[Console, LogLine], None]) -> None:
    """Lines as they are found."""
    number = 0
    for number, line in enumerate(lines, 1):  # noqa: B007 - it is asked for behind the loop
        show(console, line)
    if not number:
        console.print("No log lines.")


def show_lines(console: Console, found: Lines) -> None:
    """Lines that are all there."""
    show_all(console, found.lines, show_line)


def show_raw_lines(console: Console, found: Lines) -> None:
    """The same as they were written."""
    show_all(console, found.lines, show_raw)


def show_line(console: Console, line: LogLine) -> None:
    """Time, level, service, step, message; below it what was raised."""
    paint = _painter(console)
    time = line.timestamp.astimezone()
    day = "" if time.date() == _today() else f"{time:%Y-%m-%d} "
    head = paint(f"{day}{time:%H:%M:%S} ", "dim") + paint(f"{line.level[:8]:<8} ", _LEVELS.get(line.level, ""))
    who = paint(f"{printable(line.service)} ", _colour(line.service))
    step = paint(f"{printable(line.step)} ", "dim") if line.step else ""
    first, _, more = printable(line.message).partition("\n")
    more = "\n".join(filter(None, [more, printable(str(line.context.get("exception") or "")).rstrip()]))
    console.file.write(f"{head}{who}{step}{first}\n{paint(_short(more), 'dim')}")
    console.file.flush()


def _short(text: str) -> str:
    """The lines below the first of an event, without those in the middle where they are many."""
    lines = text.splitlines()
    if len(lines) > _MOST:
        cut = f"… {len(lines) - _MOST} lines more: --raw shows them"
        lines = [*lines[: _MOST // 2], cut, *lines[-_MOST // 2 :]]
    return "".join(f"{line}\n" for line in lines)


def show_raw(console: Console, line: LogLine) -> None:
    """The line as it was written, without what a terminal would take for more than text."""
    console.file.write(printable(line.raw) + "\n")
    console.file.flush()


def show_counts(console: Console, found: LineCounts) -> None:
    """Lines by service."""
    if not found.total:
        console.print("No log lines.")
        return
    rows = [(one.service, f"{one.lines:,}") for one in found.services]
    table(console, ["SERVICE", "#LINES"], [*rows, ("all", f"{found.total:,}")])


def show_stats(console: Console, found: LineStats) -> None:
    """A histogram of each service and level."""
    if not found.bars or found.since is None or found.until is None:
        console.print("No log lines.")
        return
    rows = [(bar.service, bar.level or "-", f"{bar.lines:,}", _sketch(bar.counts)) for bar in found.bars]
    table(console, ["SERVICE", "LEVEL", "#LINES", "OVER TIME"], rows)
    since, until = found.since.astimezone(), found.until.astimezone()
    console.print(f"{since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S}, {found.seconds:g} s a mark")


def show_series(console: Console, found: LogSeries) -> None:
    """The last figure of each series, and how it went."""
    if not found.series:
        console.print("No figures.")
        return
    rows = [
        (printable(one.labels), f"{one.points[-1].value:g}", _sketch([point.value for point in one.points]))
        for one in found.series
        if one.points
    ]
    table(console, ["SERIES", "#LAST", "OVER TIME"], rows)


def _sketch(values: Iterable[float]) -> str:
    numbers = list(values)[-30:]
    most = max(numbers, default=0) or 1
    return "".join(_BLOCKS[-(-int(number * 8) // int(most)) if number and most >= 1 else 0] for number in numbers)


def _today() -> object:
    return datetime.now().astimezone().date()


@lru_cache(maxsize=256)
def _colour(service: str) -> str:
    return _COLOURS[sum(service.encode()) % len(_COLOURS)]


def _painter(console: Console) -> Callable[[str, str], str]:
    if not console.is_terminal or console.no_color or console.color_system is None:
        return lambda text, _: text

    def paint(text: str, style: str) -> str:
        before, after = _codes(style)
        return f"{before}{text}{after}"

    return paint


@lru_cache(maxsize=64)
def _codes(style: str) -> tuple[str, str]:
    from rich.color import ColorSystem
    from rich.style import Style

    before, _, after = Style.parse(style).render("|", color_system=ColorSystem.STANDARD).partition("|")
    return before, after
