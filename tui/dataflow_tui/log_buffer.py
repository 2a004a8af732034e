"""The lines that the logs view holds: a ring of the newest, each packed into one text to stay small."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from dataflow.models import LogLine
from dataflow_tui.text import clean, one_line

ROOM = 200_000
_APART = "\x1f"
_LEVELS = ("", "debug", "info", "warning", "error", "critical")
_SLICE = 20_000
_WIDEST = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One line, unpacked for the screen."""

    time: datetime
    level: str
    service: str
    step: str
    text: str
    run_id: str = ""
    more: str = ""


def packed(line: LogLine) -> str:
    """A line in one text. Its raw form is left out: the fields hold it all."""
    level = line.level if line.level in _LEVELS else ""
    context = _APART.join(f"{one_line(key, 60)}={clean(value, 2000)}" for key, value in line.context.items())
    fields = (
        f"{line.timestamp.timestamp():.3f}", str(_LEVELS.index(level)), one_line(line.service, 60),
        one_line(line.step or "", 80), line.run_id or "", clean(line.message), context,
    )  # fmt: skip
    return _APART.join(fields)


def unpacked(text: str) -> Shown:
    """What `packed` made, with the message on one line."""
    time, level, service, step, run, message, more = text.split(_APART, 6)
    moment = datetime.fromtimestamp(float(time), UTC)
    return Shown(moment, _LEVELS[int(level)], service, step, one_line(message, _WIDEST), run, more)


def glance(text: str) -> tuple[int, int]:
    """Of a packed line: its time in whole seconds, and its level from 0, unknown, to 5, critical. Quick."""
    end = text.index(_APART)
    return int(text[: end - 4]), int(text[end + 1])  # a time has three digits behind its point


def whole(text: str) -> list[tuple[str, str]]:
    """Everything about a line: names and values, the message in all its lines."""
    time, level, service, step, run, message, more = text.split(_APART, 6)
    moment = datetime.fromtimestamp(float(time), UTC).astimezone()
    fields = [("time", f"{moment:%Y-%m-%d %H:%M:%S.%f %z}"), ("level", _LEVELS[int(level)]), ("service", service)]
    fields += [("step", step), ("run", run), ("message", message)]
    fields += [(name, value) for name, _, value in (part.partition("=") for part in more.split(_APART) if part)]
    return [(name, value) for name, value in fields if value]


class LogBuffer:
    """A ring of lines. A line keeps its number for ever, also when older ones fall out."""

    def __init__(self, room: int = ROOM) -> None:
        self._lines: deque[str] = deque()
        self._room = room
        self.first = 0

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def end(self) -> int:
        """The number that the next line gets."""
        return self.first + len(self._lines)

    def add(self, lines: Iterable[str]) -> int:
        """Append packed lines; how many old ones fell out."""
        self._lines.extend(lines)
        over = max(len(self._lines) - self._room, 0)
        for _ in range(over):
            self._lines.popleft()
        self.first += over
        return over

    def clear(self) -> None:
        """Forget every line."""
        self.first = self.end
        self._lines.clear()

    def __getitem__(self, number: int) -> str:
        return self._lines[number - self.first]

    def slices(self, first: int = 0) -> Iterator[tuple[int, list[str]]]:
        """All lines from number `first` on in slices, so that a search can let others go on in between."""
        start = max(first, self.first)
        while start < self.end:
            offset = start - self.first
            part = list(islice(self._lines, offset, offset + _SLICE))
            yield start, part
            start += len(part)


def matches(pattern: re.Pattern[str], start: int, lines: Iterable[str]) -> list[int]:
    """The numbers of the lines in which a search finds something, in what is shown of them."""
    return [number for number, line in enumerate(lines, start) if pattern.search(_searched(line))]


def pattern_of(text: str) -> re.Pattern[str]:
    """What a person searches for: a regular expression, else the text itself. Small letters match large ones too."""
    flags = 0 if any(letter.isupper() for letter in text) else re.IGNORECASE
    try:
        return re.compile(text, flags)
    except re.error:
        return re.compile(re.escape(text), flags)


def _searched(line: str) -> str:
    return line.split(_APART, 6)[5].replace("\n", " ⏎ ")
