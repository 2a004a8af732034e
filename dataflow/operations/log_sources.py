"""Who keeps which log: an engine, Loki, or the files that runs write."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.engines import log_files
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.operations.context import Context
from dataflow.operations.log_filter import LogFilter
from dataflow.system.log_text import Stored, grouped, grouped_back

if TYPE_CHECKING:
    from dataflow.clients.loki import Entry, Loki

RUNS = "worker"
"""The service that runs write their lines as."""
LOKI = "loki"
_FRESH = timedelta(seconds=60)  # what collectors may not have brought to Loki yet
_FIRST = timedelta(days=29)  # Loki answers for no longer a time at once


@dataclass(frozen=True, slots=True)
class Source:
    """One log, and how to read it. `late`: a time for lines that know none."""

    name: str
    read: Callable[[LogScan], Iterator[Stored]]
    late: Callable[[], datetime] = lambda: datetime.now(UTC)


def sources(context: Context, names: tuple[str, ...], wanted: LogFilter, mark: LogMark | None) -> list[Source]:
    """The logs that a question is about. Lines of workflows, runs and steps are only in those of runs.

    Runs are read from their files, which are here at once; Loki, which has the same lines, is asked for a run whose
    file is gone.
    """
    of_runs = wanted.workflow or wanted.run or wanted.step
    services = [name for name in names or context.engine.wanted if name != RUNS]
    found: list[Source] = []
    if not of_runs or names:
        keeper = None if mark else loki_of(context)
        found += [Source(name, _service(context, name, keeper), _written(context, name)) for name in services]
    if of_runs or not names or RUNS in names:
        files = run_files(context, wanted)
        found += [Source(RUNS, _file(path)) for path in files]
        if wanted.run and not files and not mark and (loki := loki_of(context)):
            found.append(Source(RUNS, _past_run(loki, wanted.run)))
    return found


def run_files(context: Context, wanted: LogFilter | None = None) -> list[Path]:
    """Files of runs, the newest first."""
    pattern = f"{wanted.run}*.jsonl" if wanted and wanted.run else "*.jsonl"
    found = [(path.stat().st_mtime, path) for path in context.paths.run_logs.glob(pattern)]
    return [path for _, path in sorted(found, reverse=True)]


def loki_of(context: Context) -> Loki | None:
    """This project's Loki, where it runs and answers, whatever profile it was started with."""
    if context.choice.name != "docker" or LOKI not in context.catalog or not context.runs(LOKI):
        return None
    from dataflow.clients.loki import Loki

    port = next(use.number for use in context.engine.ports()[LOKI] if use.name == "http")
    loki = Loki(f"http://127.0.0.1:{port}")
    return loki if loki.ready() else None


def _written(context: Context, name: str) -> Callable[[], datetime]:
    """When a native service wrote last."""

    def late() -> datetime:
        file = context.paths.logs / f"{name}.jsonl"
        return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else datetime.now(UTC)

    return late


def _file(path: Path) -> Callable[[LogScan], Iterator[Stored]]:
    return lambda scan: log_files.read(RUNS, path, scan)


def _service(context: Context, name: str, loki: Loki | None) -> Callable[[LogScan], Iterator[Stored]]:
    if loki is None:
        return lambda scan: context.engine.log_read(name, scan)
    return lambda scan: _from_loki(context, loki, name, scan)


def _from_loki(context: Context, loki: Loki, name: str, scan: LogScan) -> Iterator[Stored]:
    """Loki's lines; the newest ones also from the engine, for a collector is always a little late."""
    cut = datetime.now(UTC) - _FRESH
    fresh = list(context.engine.log_read(name, LogScan(since=max(cut, scan.since or cut), singly=True)))
    kept = _kept(loki, name, f'{{service="{name}"}}', scan)
    if scan.newest_first:
        return grouped_back(_once(heapq.merge(reversed(fresh), kept, key=_time, reverse=True)))
    return grouped(_once(heapq.merge(kept, fresh, key=_time)))


def _past_run(loki: Loki, run: str) -> Callable[[LogScan], Iterator[Stored]]:
    """The lines of a run, by its id or the beginning of it: Loki has it as structured metadata of each line."""
    query = f'{{service="{RUNS}"}} | run_id=~{json.dumps(re.escape(run) + ".*")}'
    return lambda scan: _kept(loki, RUNS, query, scan)


def _kept(loki: Loki, name: str, query: str, scan: LogScan) -> Iterator[Stored]:
    from dataflow.clients.loki import nanoseconds

    now = datetime.now(UTC)
    since = nanoseconds(scan.since or now - _FIRST)
    until = nanoseconds(now + timedelta(seconds=1))
    found = loki.entries(query, since=since, until=until, newest_first=scan.newest_first)
    return (_stored(name, entry) for entry in found)


def _stored(name: str, entry: Entry) -> Stored:
    seconds, rest = divmod(entry.nanoseconds, 1_000_000_000)
    return Stored(name, entry.text, datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000))


def _once(lines: Iterable[Stored]) -> Iterator[Stored]:
    """Without the second of two equal lines: both keepers had it."""
    seen: dict[Stored, None] = {}
    for line in lines:
        if line not in seen:
            yield line
        seen[line] = None
        if len(seen) > 20_000:
            seen = dict.fromkeys(list(seen)[10_000:])


def _time(line: Stored) -> datetime:
    return line.time or datetime.fromtimestamp(0, UTC)
