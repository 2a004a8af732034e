"""A search through the lines of the buffer: counted in slices, so that the keyboard never waits for it."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator

from dataflow_tui.log_buffer import LogBuffer, matches, pattern_of


class Search:
    """What is searched for, and the numbers of the lines that hold it."""

    def __init__(self, buffer: LogBuffer) -> None:
        self.text = ""
        self.hits: list[int] = []
        self._buffer = buffer
        self._pattern: re.Pattern[str] | None = None
        self._looked = 0
        self._complete = True

    def begin(self, text: str) -> re.Pattern[str] | None:
        """Search for something else; nothing where the text is empty."""
        self.text = text
        self._pattern = pattern_of(text) if text else None
        self.restart()
        return self._pattern

    def restart(self) -> None:
        """Begin anew with the lines there are now."""
        self.hits.clear()
        self._looked = self._buffer.first
        self._complete = self._pattern is None

    async def run(self) -> AsyncIterator[int]:
        """Look through everything; gives the number of hits after each slice."""
        pattern = self._pattern
        for start, lines in self._buffer.slices(self._looked):
            if pattern is None or pattern is not self._pattern:
                return
            self._add(pattern, start, lines)
            yield len(self.hits)
            await asyncio.sleep(0)
        self._complete = True

    def extend(self) -> None:
        """Look through lines that came since."""
        if self._pattern is None or not self._complete:
            return
        for start, lines in self._buffer.slices(self._looked):
            self._add(self._pattern, start, lines)
        del self.hits[: bisect_left(self.hits, self._buffer.first)]

    def after(self, number: int, by: int) -> int | None:
        """The next hit below a line, or above it with a negative `by`; at the ends it goes round."""
        if not self.hits:
            return None
        place = bisect_right(self.hits, number) if by > 0 else bisect_left(self.hits, number) - 1
        return self.hits[place % len(self.hits)]

    def words(self, cursor: int) -> str:
        """`/text: 3 of 57`."""
        place = bisect_left(self.hits, cursor)
        here = f"{place + 1} of " if place < len(self.hits) and self.hits[place] == cursor else ""
        return f"/{self.text}: {here}{len(self.hits):,}{'' if self._complete else ' so far'}"

    def _add(self, pattern: re.Pattern[str], start: int, lines: list[str]) -> None:
        self.hits += matches(pattern, start, lines)
        self._looked = start + len(lines)
