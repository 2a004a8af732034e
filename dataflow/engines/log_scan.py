"""What is asked of whoever keeps logs: a stretch of time, a hint, and from which end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LogMark:
    """A moment between lines: what is before it was read, what is after it is followed.

    `places`: the size of each log file then, by its inode. A file that is not among them is new.
    """

    time: datetime
    places: dict[int, int]


@dataclass(frozen=True, slots=True)
class LogScan:
    """`since` bounds the time that lines were kept at; more may come back, never less.

    `needle` is a text that every wanted event holds: events without it may be left out. `newest_first` turns the order
    around for whoever stops early. `last`: no more than so many of the last events are needed, whatever they say.
    `singly`: lines as they are, not put together to events.
    """

    since: datetime | None = None
    needle: str = ""
    newest_first: bool = False
    last: int | None = None
    mark: LogMark | None = None
    singly: bool = False
