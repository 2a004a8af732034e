"""Lines of logs as they lie in files and streams, before anyone reads them: which of them are one event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

_TRACEBACK = "Traceback (most recent call last):"
_LINKS = ("During handling of the above exception", "The above exception was the direct cause")
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
MOST_LINES = 2000
"""More than this many lines are never one event: something that only indents would grow without end."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as a service wrote it: a line, or several that belong together. `time`: when its keeper got it."""

    service: str
    text: str
    time: datetime | None = None


def continues(line: str, before: str) -> bool:
    """Whether a line belongs to the event of the line `before` it: the rest of a traceback, or what is indented."""
    if line[:1] in {" ", "\t"}:
        return True
    if not line:
        return before[:1] != "{"
    if line.startswith(_LINKS):
        return True
    if line.startswith(_TRACEBACK):
        return not before
    return before[:1] in {" ", "\t"} and _ERROR.match(line) is not None


def grouped(lines: Iterable[Stored]) -> Iterator[Stored]:
    """Events from the lines of one service, in their order. An event has the time of its first line."""
    first: Stored | None = None
    texts: list[str] = []
    for line in lines:
        if first and len(texts) < MOST_LINES and continues(line.text, texts[-1]):
            texts.append(line.text)
            continue
        if first:
            yield _event(first, texts)
        first, texts = line, [line.text]
    if first:
        yield _event(first, texts)


def grouped_back(lines: Iterable[Stored]) -> Iterator[Stored]:
    """The same for lines that come newest first."""
    rest: list[Stored] = []  # an event whose beginning has not come yet, last line first
    for line in lines:
        if rest and (len(rest) >= MOST_LINES or not continues(rest[-1].text, line.text)):
            yield _event(rest[-1], [one.text for one in reversed(rest)])
            rest = []
        rest.append(line)
    if rest:
        yield _event(rest[-1], [one.text for one in reversed(rest)])


def _event(first: Stored, texts: list[str]) -> Stored:
    if len(texts) == 1:
        return first
    return Stored(first.service, "\n".join(texts).rstrip("\n"), first.time)
