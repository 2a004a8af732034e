"""New lines of services and runs as they are written, behind the last ones: none is lost or told twice."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

from dataflow.engines import log_files, native_logs
from dataflow.engines.log_scan import LogMark
from dataflow.models import LogLine
from dataflow.operations import logs
from dataflow.operations.context import Context
from dataflow.operations.log_filter import LogFilter
from dataflow.operations.log_parse import parse
from dataflow.operations.log_sources import RUNS, run_files
from dataflow.operations.logs import DEFAULT_TAIL, LogQuery
from dataflow.system.log_text import MOST_LINES, Stored, continues

Found = queue.SimpleQueue[Stored | None | Exception]


def follow(context: Context, query: LogQuery, over: Callable[[], bool] = lambda: False) -> Iterator[LogLine]:
    """The last lines, then new ones, for ever or until `over`. Raises as `logs.read`."""
    query = logs.known(context, query)
    wanted = query.wanted
    runs = [RUNS] if not query.services or RUNS in query.services or wanted.run or wanted.workflow else []
    services = [name for name in query.services or context.engine.wanted if name != RUNS]
    if (wanted.run or wanted.workflow or wanted.step) and not query.services:
        services = []
    mark = _mark(context)
    last = replace(query, tail=DEFAULT_TAIL if query.tail is None else query.tail)
    if query.tail != 0:
        yield from logs.read(context, last, mark)
    found: Found = queue.SimpleQueue()
    if services:
        _start(context.engine.log_follow(services, mark), found, over)
    if runs:
        _start(_runs(context, wanted, mark), found, over)
    for event in _events(found, over):
        line = parse(event)
        if wanted(line):
            yield line


def _mark(context: Context) -> LogMark:
    mark = context.engine.log_mark()
    return replace(mark, places={**mark.places, **log_files.mark(run_files(context)).places})


def _runs(context: Context, wanted: LogFilter, mark: LogMark) -> Iterator[Stored | None]:
    return native_logs.follow(lambda: dict.fromkeys(run_files(context, wanted), RUNS), mark)


def _start(lines: Iterator[Stored | None], found: Found, over: Callable[[], bool]) -> None:
    def pour() -> None:
        try:
            for line in lines:
                found.put(line)
                if over():
                    return
        except Exception as error:  # noqa: BLE001 - the reader raises it
            found.put(error)

    threading.Thread(target=pour, daemon=True).start()


def _events(found: Found, over: Callable[[], bool]) -> Iterator[Stored]:
    """Whole events. One of several lines ends with the next one, or when nothing comes for a moment."""
    open_events: dict[str, list[Stored]] = {}
    while True:
        line = found.get()
        if over():
            return
        if isinstance(line, Exception):
            raise line
        if line is None:
            for lines in open_events.values():
                yield _joined(lines)
            open_events.clear()
            continue
        lines = open_events.get(line.service, [])
        if lines and len(lines) < MOST_LINES and continues(line.text, lines[-1].text):
            lines.append(line)
            continue
        if lines:
            yield _joined(open_events.pop(line.service))
        if line.text.startswith("{"):
            yield line
        else:
            open_events[line.service] = [line]


def _joined(lines: list[Stored]) -> Stored:
    return replace(lines[0], text="\n".join(line.text for line in lines).rstrip("\n"))
