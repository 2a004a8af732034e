"""One log surface: what services and runs wrote, whoever keeps it, in the order of time.

Lines come from Loki where it runs, else from the Docker Engine or from the native engine's files; runs write files of
their own. All are read the same way, so that the same question has the same answer everywhere.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.models import LogLine
from dataflow.operations.context import Context
from dataflow.operations.log_filter import LogFilter, with_context
from dataflow.operations.log_parse import parsed
from dataflow.operations.log_sources import RUNS, Source, run_files, sources
from dataflow.operations.services import require_known
from dataflow.system.log_text import Stored

_SLACK = timedelta(minutes=5)  # a line may be kept a while before or after the time it tells of itself
_BARS = 30
_OPEN = 100
DEFAULT_TAIL = 20


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What is asked. `tail`: the last so many of each service; None for the default, 0 for all."""

    services: tuple[str, ...] = ()
    wanted: LogFilter = field(default_factory=LogFilter)
    tail: int | None = None
    context: int = 0


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one or more services, in the order of time."""

    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class LineCount:
    """How many lines of a service were found."""

    service: str
    lines: int


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Lines found, by service and in all."""

    services: tuple[LineCount, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Lines of a service and level; `counts` are per interval of LineStats, oldest first."""

    service: str
    level: str
    lines: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineStats:
    """A histogram over time. `seconds` is the length of an interval; the first begins at `since`."""

    since: datetime | None
    until: datetime | None
    seconds: float
    bars: tuple[Bar, ...]


def read(context: Context, query: LogQuery, mark: LogMark | None = None) -> Iterator[LogLine]:
    """The lines that are asked for, oldest first.

    Raises:
        UsageError: SERVICE_UNKNOWN.
        BackendError: BACKEND_DOWN, BACKEND_FAILED; Loki went away.
    """
    query = known(context, query)
    tail = _tail(query)
    found = sources(context, query.services, query.wanted, mark)
    if tail and query.services == () and len(found) > 1:  # runs are one source among others, whose files are many
        streams = [
            *(_last([one], query, tail, mark) for one in found if one.name != RUNS),
            _last([one for one in found if one.name == RUNS], query, tail, mark),
        ]
    elif tail:
        streams = [_last([one], query, tail, mark) for one in found]
    else:
        streams = [_all(one, query, mark) for one in _merged(found)]
    return heapq.merge(*streams, key=lambda line: line.timestamp)


def known(context: Context, query: LogQuery) -> LogQuery:
    """The query about services that there are, and about the newest run where it says `last`."""
    for name in query.services:
        if name != RUNS:
            require_known(context, name)
    if query.wanted.run != "last":
        return query
    newest = next((path.stem for path in run_files(context)), "none")
    return replace(query, wanted=replace(query.wanted, run=newest))


def _merged(found: list[Source]) -> list[Source]:
    """The sources, with no more files of runs than can be open at the same time: the older ones after each other."""
    runs = [one for one in found if one.name == RUNS]
    older = runs[_OPEN:]
    if not older:
        return found

    def chained(scan: LogScan) -> Iterator[Stored]:
        for one in reversed(older):
            yield from one.read(scan)

    return [*(one for one in found if one.name != RUNS), *runs[:_OPEN], Source(RUNS, chained)]


def count(context: Context, query: LogQuery) -> LineCounts:
    """How many lines there are. Raises as `read`."""
    counted = Counter(line.service for line in read(context, _whole(query)))
    return LineCounts(tuple(LineCount(name, number) for name, number in sorted(counted.items())), counted.total())


def stats(context: Context, query: LogQuery) -> LineStats:
    """How many lines of each service and level there were over time. Raises as `read`."""
    times: dict[tuple[str, str], list[datetime]] = {}
    for line in read(context, _whole(query)):
        times.setdefault((line.service, line.level), []).append(line.timestamp)
    every = [time for group in times.values() for time in group]
    if not every:
        return LineStats(None, None, 0.0, ())
    since, until = query.wanted.since or min(every), query.wanted.until or max(every)
    step = max((until - since).total_seconds() / _BARS, 0.001)
    bars = tuple(
        Bar(service, level, len(group), _histogram(group, since, step)) for (service, level), group in times.items()
    )
    return LineStats(since, until, round(step, 3), tuple(sorted(bars, key=lambda bar: (bar.service, bar.level))))


def _whole(query: LogQuery) -> LogQuery:
    return LogQuery(query.services, query.wanted, query.tail or 0)


def _histogram(times: Iterable[datetime], since: datetime, step: float) -> tuple[int, ...]:
    counts = [0] * _BARS
    for time in times:
        counts[min(max(int((time - since).total_seconds() / step), 0), _BARS - 1)] += 1
    return tuple(counts)


def _tail(query: LogQuery) -> int:
    """So many of each service: all where something narrows the question, unless a number is given."""
    if query.tail is not None:
        return query.tail
    return 0 if query.wanted.narrows else DEFAULT_TAIL


def _scan(query: LogQuery, mark: LogMark | None, *, newest_first: bool, last: int | None = None) -> LogScan:
    since = query.wanted.since - _SLACK if query.wanted.since else None
    needle = "" if query.context else query.wanted.needle
    return LogScan(since, needle, newest_first, last, mark)


def _all(source: Source, query: LogQuery, mark: LogMark | None) -> Iterator[LogLine]:
    lines = parsed(source.read(_scan(query, mark, newest_first=False)), source.late())
    return _ordered(with_context(lines, query.wanted, query.context))


def _last(found: list[Source], query: LogQuery, tail: int, mark: LogMark | None) -> list[LogLine]:
    """The last lines of one service, whose logs may lie in several places, the newest of which comes first."""
    lines: list[LogLine] = []
    for source in found:
        wanted = query.wanted
        last = None if wanted.narrows else tail
        events = source.read(_scan(query, mark, newest_first=True, last=last))
        newest = parsed(events, source.late(), newest_first=True)
        lines += islice(with_context(newest, wanted, query.context), tail - len(lines))
        if len(lines) >= tail:
            break
    lines.reverse()  # equal times stay in the order they were written in
    return sorted(lines, key=lambda line: line.timestamp)


def _ordered(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Put right what is a little out of order: threads of one service write past each other."""
    held: list[tuple[datetime, int, LogLine]] = []
    for number, line in enumerate(lines):
        heapq.heappush(held, (line.timestamp, number, line))
        if len(held) > 64:
            yield heapq.heappop(held)[2]
    while held:
        yield heapq.heappop(held)[2]
