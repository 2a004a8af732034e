"""The log of one run: every line of it, or those around what failed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from dataflow.models import FINISHED, LogLine
from dataflow.operations.context import Context
from dataflow.operations.runs import find_run

_POLL = 0.2
_KNOWN = {"timestamp", "level", "message", "service", "run_id", "step"}


def read_log(context: Context, run_id: str, *, step: str | None = None, tail: int | None = None) -> tuple[LogLine, ...]:
    """The lines of a run's log, in order. Raises UsageError RUN_UNKNOWN."""
    run = find_run(context, context.history(), run_id)
    lines = [line for line in _lines(_path(context, run.id)) if step is None or line.step == step]
    return tuple(lines[-tail:] if tail else lines)


def follow_log(context: Context, run_id: str, *, step: str | None = None) -> Iterator[LogLine]:
    """The lines of a run's log as they come, until the run has ended."""
    history = context.history()
    run = find_run(context, history, run_id)
    seen = 0
    while True:
        now = history.run(run.id)
        lines = list(_lines(_path(context, run.id)))
        yield from (line for line in lines[seen:] if step is None or line.step == step)
        seen = len(lines)
        if now is None or now.state in FINISHED:
            return
        time.sleep(_POLL)


def around_failure(context: Context, run_id: str, step: str | None, *, before: int = 5) -> list[LogLine]:
    """The last lines at or above INFO that were written before the run failed, of the failing step where known."""
    lines = [line for line in _lines(_path(context, run_id)) if line.level != "debug"]
    own = [line for line in lines if step is None or line.step == step]
    return [line for line in own if "Traceback" not in line.message][-before:]


def _path(context: Context, run_id: str) -> Path:
    return context.paths.run_logs / f"{run_id}.jsonl"


def _lines(path: Path) -> Iterator[LogLine]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                if text.endswith("\n"):  # the last one may be half written
                    yield _parse(text.rstrip("\n"))
    except FileNotFoundError:
        return


def _parse(text: str) -> LogLine:
    """A line in our schema; any other text is a message without a level."""
    try:
        data: dict[str, Any] = json.loads(text)
        time_ = datetime.fromisoformat(data["timestamp"])
    except (ValueError, KeyError, TypeError):
        return LogLine(datetime.fromtimestamp(0).astimezone(), "", text)
    context = {key: value for key, value in data.items() if key not in _KNOWN and value is not None}
    return LogLine(
        time_,
        str(data.get("level", "")).lower(),
        str(data.get("message", "")),
        str(data.get("service") or ""),
        data.get("run_id"),
        data.get("step"),
        context,
    )
