"""The logs of containers as the engine keeps them: read, and followed over the end of a container and its successor."""

from __future__ import annotations

import contextlib
import heapq
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_usage import service_of
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.errors import DataflowError
from dataflow.system.log_text import Stored, grouped, grouped_back

_LOOK = 1.0  # seconds between two looks for a successor
_BEAT = 0.1
_ASTRAY = 64  # lines by which one may stand at the wrong place
_SPARE = 50  # lines more than asked for: some events have several


def read(daemon: Daemon, container: str, service: str, scan: LogScan) -> Iterator[Stored]:
    """The events of a container."""
    since = scan.since.timestamp() if scan.since else None
    until = scan.mark.time.timestamp() if scan.mark else None
    tail = scan.last + _SPARE if scan.last is not None and not scan.mark else None
    split = map(_split, _lines(daemon.log(container, since, until, tail)))
    lines = (_stored(service, time_, text) for time_, text in _in_time(split))
    if scan.singly:
        return lines
    if scan.newest_first:
        return grouped_back(reversed(list(lines)))
    return grouped(lines)


def tail(daemon: Daemon, container: str, lines: int) -> list[str]:
    """The last lines, as they were written."""
    return [_split(line)[1] for line in _lines(daemon.log(container, lines=lines))]


def follow(daemon: Daemon, project: str, services: Sequence[str], mark: LogMark) -> Iterator[Stored | None]:
    """New lines of each service, for ever; None when nothing came for a moment."""
    found: queue.SimpleQueue[Stored] = queue.SimpleQueue()
    after = mark.time.isoformat().replace("+00:00", "Z")
    for service in services:
        threading.Thread(target=_follow_one, args=(daemon, project, service, after, found), daemon=True).start()
    while True:
        try:
            yield found.get(timeout=_BEAT)
        except queue.Empty:
            yield None


def _follow_one(daemon: Daemon, project: str, service: str, last: str, found: queue.SimpleQueue[Stored]) -> None:
    """One service's containers, one after the other: each begins after the last line of the one before."""
    while True:
        with contextlib.suppress(DataflowError):  # the engine is away: it may come back
            for one in daemon.summaries(project):
                if service_of(one) == service and one.get("State") != "created":
                    known = last  # a line may be a little older than the one before it, and is new all the same
                    for line in _lines(daemon.follow(one["Id"], after=known)):
                        time_, text = _split(line)
                        if time_ > known:
                            last = max(last, time_)
                            found.put(_stored(service, time_, text))
        time.sleep(_LOOK)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def _in_time(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Lines by their time: the engine keeps what came at once over stdout and stderr in either order."""
    waiting: list[tuple[str, int, str]] = []
    for number, (time_, text) in enumerate(lines):
        heapq.heappush(waiting, (time_, number, text))
        if len(waiting) > _ASTRAY:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: list[tuple[str, int, str]]) -> tuple[str, str]:
    time_, _, text = heapq.heappop(waiting)
    return time_, text


def _split(line: bytes) -> tuple[str, str]:
    """The engine's time (RFC 3339 with nanoseconds, which sorts as text) and what was written."""
    time_, _, text = line.decode("utf-8", errors="replace").rstrip("\r").partition(" ")
    return time_, text


def _stored(service: str, time_: str, text: str) -> Stored:
    try:
        return Stored(service, text, datetime.fromisoformat(f"{time_[:26].rstrip('Z')}+00:00"))
    except ValueError:
        return Stored(service, text)
