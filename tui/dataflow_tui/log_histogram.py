"""How many lines there were in each of the last minutes, and in which of them something went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.text import Text

from dataflow_tui.log_buffer import glance
from dataflow_tui.signs import Look
from dataflow_tui.text import spark

MINUTES = 30
_BAD = 4  # the first level that is: error


class Histogram:
    """Counts by minute. It forgets what is older than it shows."""

    def __init__(self) -> None:
        self._lines: Counter[int] = Counter()
        self._bad: set[int] = set()

    def add(self, lines: Iterable[str]) -> None:
        """Count packed lines."""
        for line in lines:
            seconds, level = glance(line)
            minute = seconds // 60
            self._lines[minute] += 1
            if level >= _BAD:
                self._bad.add(minute)
        if len(self._lines) > 2 * MINUTES:
            kept = max(self._lines) - MINUTES
            self._lines = Counter({minute: count for minute, count in self._lines.items() if minute > kept})
            self._bad = {minute for minute in self._bad if minute > kept}

    def clear(self) -> None:
        """Begin anew."""
        self._lines.clear()
        self._bad.clear()

    def text(self, look: Look) -> Text:
        """A bar for each minute up to the newest line's, in the colour of trouble where a line of it tells of some."""
        if not self._lines:
            return Text()
        last = max(self._lines)
        minutes = range(max(last - MINUTES + 1, min(self._lines)), last + 1)
        bars = spark([float(self._lines[minute]) for minute in minutes], MINUTES)
        shown = Text(no_wrap=True, end="")
        for minute, bar in zip(minutes, bars, strict=True):
            shown.append(bar, look.bad if minute in self._bad else look.quiet)
        return shown + Text(f" {len(minutes)} min", look.quiet)
