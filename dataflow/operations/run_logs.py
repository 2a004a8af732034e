"""The log of one run: every line of it, or those around what failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from dataflow.engines import log_files, native_logs
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.models import FINISHED, LogLine
from dataflow.operations.context import Context
from dataflow.operations.log_parse import parse, parsed
from dataflow.operations.log_sources import RUNS
from dataflow.operations.runs import find_run

_POLL = 0.2


def read_log(context: Context, run_id: str, *, step: str | None = None, tail: int | None = None) -> tuple[LogLine, ...]:
    """The lines of a run's log, in order. Raises UsageError RUN_UNKNOWN."""
    run = find_run(context, context.history(), run_id)
    lines = [line for line in _lines(_path(context, run.id)) if step is None or line.step == step]
    return tuple(lines[-tail:] if tail else lines)


def follow_log(context: Context, run_id: str, *, step: str | None = None) -> Iterator[LogLine]:
    """The lines of a run's log as they come, until the run has ended."""
    history = context.history()
    run = find_run(context, history, run_id)
    path = _path(context, run.id)
    mark = log_files.mark([path])
    yield from (line for line in _lines(path, mark) if step is None or line.step == step)
    over, asked = False, 0.0
    for event in native_logs.follow(lambda: {path: RUNS}, mark):
        if event is not None:
            line = parse(event)
            if step is None or line.step == step:
                yield line
        elif over:
            return
        elif time.monotonic() - asked >= _POLL:
            asked, now = time.monotonic(), history.run(run.id)
            over = now is None or now.state in FINISHED  # what it wrote until then comes once more


def around_failure(context: Context, run_id: str, step: str | None, *, before: int = 5) -> list[LogLine]:
    """The last lines at or above INFO that were written before the run failed, of the failing step where known."""
    lines = [line for line in _lines(_path(context, run_id)) if line.level != "debug"]
    own = [line for line in lines if step is None or line.step == step]
    return [line for line in own if "Traceback" not in line.message][-before:]


def _path(context: Context, run_id: str) -> Path:
    return context.paths.run_logs / f"{run_id}.jsonl"


def _lines(path: Path, mark: LogMark | None = None) -> Iterator[LogLine]:
    return parsed(log_files.read(RUNS, path, LogScan(mark=mark)), datetime.now(UTC))
