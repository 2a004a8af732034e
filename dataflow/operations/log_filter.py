"""Which lines of a log are wanted: by what they say, their level, time, workflow, run and step."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dataflow.errors import UsageError
from dataflow.models import LogLine
from dataflow.operations.moments import moment

LEVELS = ("debug", "info", "warning", "error", "critical")
_AROUND = timedelta(minutes=1)
_SHORT = {"warn": "warning", "err": "error", "crit": "critical", "fatal": "critical"}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """`grep`: one of them is found in the message or the context; `exclude`: none is. `level`: that one and above.

    `since` is inclusive, `until` exclusive.
    """

    grep: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()
    level: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    workflow: str | None = None
    run: str | None = None
    step: str | None = None

    def __call__(self, line: LogLine) -> bool:
        """Whether a line is wanted."""
        return (
            (self.since is None or line.timestamp >= self.since)
            and (self.until is None or line.timestamp < self.until)
            and (self.level is None or _rank(line.level) >= LEVELS.index(self.level))
            and (self.workflow is None or line.workflow == self.workflow)
            and (self.run is None or (line.run_id or "").startswith(self.run))
            and (self.step is None or line.step == self.step)
            and (not self.grep or any(pattern.search(text) for pattern in self.grep for text in _texts(line)))
            and not any(pattern.search(text) for pattern in self.exclude for text in _texts(line))
        )

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out but what only developers read."""
        return replace(self, level=None if self.level == "info" else self.level) != LogFilter()

    @property
    def needle(self) -> str:
        """A text that every wanted line holds as it was written; empty where there is none that is certain."""
        if len(self.grep) == 1 and not self.grep[0].flags & re.IGNORECASE:
            return _literal(self.grep[0].pattern) or self.run or ""
        return self.run or ""


def compiled(patterns: Iterable[str], *, ignore_case: bool) -> tuple[re.Pattern[str], ...]:
    """Regular expressions. Raises UsageError PATTERN_INVALID with the place of the fault."""
    made: list[re.Pattern[str]] = []
    for pattern in patterns:
        try:
            made.append(re.compile(pattern, re.IGNORECASE if ignore_case else 0))
        except re.error as error:
            hint = f"{pattern}\n{' ' * (error.pos or 0)}^"
            message = f"The regular expression is not valid: {error.msg}."
            raise UsageError(message, code="PATTERN_INVALID", hint=hint) from None
    return tuple(made)


def known_level(text: str) -> str:
    """One of LEVELS. Raises UsageError LEVEL_UNKNOWN."""
    level = _SHORT.get(text.lower(), text.lower())
    if level not in LEVELS:
        raise UsageError(f"There is no level '{text}'.", code="LEVEL_UNKNOWN", hint=f"There are {', '.join(LEVELS)}.")
    return level


def asked(
    *,
    grep: Iterable[str] | None,
    exclude: Iterable[str] | None,
    ignore_case: bool,
    level: str | None,
    since: str | None,
    until: str | None,
    around: str | None,
    workflow: str | None,
    run: str | None,
    step: str | None,
) -> LogFilter:
    """The filter from what a person typed. Raises UsageError PATTERN_INVALID, LEVEL_UNKNOWN, TIME_INVALID."""
    now = datetime.now(UTC)
    first = moment(since, now) if since else None
    last = moment(until, now) if until else None
    if around:
        first, last = moment(around, now) - _AROUND, moment(around, now) + _AROUND
    return LogFilter(
        grep=compiled(grep or (), ignore_case=ignore_case),
        exclude=compiled(exclude or (), ignore_case=ignore_case),
        level=known_level(level) if level else None,
        since=first,
        until=last,
        workflow=workflow,
        run=run,
        step=step,
    )


def with_context(lines: Iterable[LogLine], wanted: LogFilter, around: int) -> Iterator[LogLine]:
    """The wanted lines of one service, each with so many before and after it."""
    before: deque[LogLine] = deque(maxlen=around)
    after = 0
    for line in lines:
        if wanted(line):
            yield from before
            before.clear()
            yield line
            after = around
        elif after:
            after -= 1
            yield line
        else:
            before.append(line)


def _rank(level: str) -> int:
    """A line without a level counts as information."""
    return LEVELS.index(level) if level in LEVELS else 1


def _texts(line: LogLine) -> Iterator[str]:
    yield line.message
    for key, value in line.context.items():
        yield f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"


_PLAIN = re.compile(r"[A-Za-z0-9 _;@%!~-]")  # what every format writes as it is


def _literal(pattern: str) -> str:
    """The longest text that whatever matches must hold: characters one after the other, outside of any choice."""
    from re import _constants as codes  # pyright: ignore[reportAttributeAccessIssue]
    from re import _parser as parser  # pyright: ignore[reportAttributeAccessIssue]

    runs: list[str] = [""]
    parts: list[tuple[object, Any]] = list(parser.parse(pattern))
    for code, argument in parts:
        if code is codes.LITERAL and _PLAIN.fullmatch(chr(argument)):
            runs[-1] += chr(argument)
        else:
            runs.append("")
    return max((run.strip() for run in runs), key=len)
