"""Runs: how many, how long, whether the last one was good, and whether a schedule keeps its beat.

Runs that ended are counted once and not read again; a scrape reads only what is newer, so its cost does not grow with
the history. Counters begin with the history, not with the exporter.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from dataflow.clients.runs import state_of
from dataflow.models import FINISHED, RunState
from dataflow.operations.exporter.history import History, listed, seconds
from dataflow.operations.exporter.metrics import Distribution, Reading

BOUNDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, float("inf"))
_SEEN = 20  # runs that say what is typical
_ENOUGH_RUNS, _ENOUGH_STARTS = 3, 4
_RUNS = """
    SELECT r.id, r.run_id, r.pipeline_name, r.status, r.create_timestamp, r.start_time, r.end_time, t.value
    FROM runs r LEFT JOIN run_tags t ON t.run_id = r.run_id AND t.key = 'dagster/schedule_name'
    WHERE r.id > {after:d} ORDER BY r.id"""
_OFF = "SELECT instigator_body FROM instigators WHERE status = 'STOPPED' AND instigator_type = 'SCHEDULE'"


@dataclass(frozen=True, slots=True)
class _Run:
    """A row. Times in seconds since 1970."""

    number: int
    id: str
    workflow: str
    state: RunState
    created: float | None
    started: float | None
    ended: float | None
    schedule: str | None


@dataclass
class _Histogram:
    """Counts per bound, not cumulative, and the sum."""

    counts: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    sum: float = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(BOUNDS, value)] += 1
        self.sum += value

    def distribution(self) -> Distribution:
        total, counts = 0, list[tuple[float, int]]()
        for bound, count in zip(BOUNDS, self.counts, strict=True):
            total += count
            counts.append((bound, total))
        return Distribution(tuple(counts), self.sum)


@dataclass
class _Past:
    """What is known of all runs up to `number`, every one of which has ended; of later ones that have, `done`."""

    number: int = 0
    done: set[int] = field(default_factory=set[int])
    ends: Counter[tuple[str, RunState]] = field(default_factory=Counter[tuple[str, RunState]])
    durations: dict[str, _Histogram] = field(default_factory=dict[str, _Histogram])
    queued: dict[str, _Histogram] = field(default_factory=dict[str, _Histogram])
    good: dict[str, deque[float]] = field(default_factory=dict[str, "deque[float]"])
    last: dict[str, _Run] = field(default_factory=dict[str, _Run])
    steps: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    starts: dict[tuple[str, str], deque[tuple[int, float]]] = field(
        default_factory=dict[tuple[str, str], "deque[tuple[int, float]]"]
    )


class RunSource:
    """Readings of runs."""

    name = "runs"
    every = 1.0

    def __init__(self, history: History) -> None:
        self._history = history
        self._past = _Past()

    def read(self) -> Iterator[Reading]:
        """All of them."""
        rows = [_run(row) for row in self._history.ask("runs", _RUNS.format(after=self._past.number))]
        if not rows and self._shrunk():
            self._past = _Past()  # a restore brought another history
            rows = [_run(row) for row in self._history.ask("runs", _RUNS.format(after=0))]
        for run in rows:
            self._note(run)
        self._advance(rows)
        live = [run for run in rows if run.state not in FINISHED]
        off = [str(row[0]) for row in self._history.ask("schedules", _OFF)]
        return iter([*_ended(self._past), *_open(live), *_beats(self._past, off)])

    def _shrunk(self) -> bool:
        newest = self._history.ask("runs", "SELECT max(id) FROM runs")
        return bool(self._past.number) and (newest[0][0] if newest else 0) != self._past.number

    def _note(self, run: _Run) -> None:
        """Count a run that has ended, once; and the start of a schedule's."""
        past = self._past
        if run.schedule and run.created is not None:
            starts = past.starts.setdefault((run.workflow, run.schedule), deque(maxlen=_SEEN))
            if not starts or starts[-1][0] < run.number:
                starts.append((run.number, run.created))
        if run.state not in FINISHED or run.number in past.done:
            return
        if run.state == "failure":
            failed = self._history.failed_steps(run.id)  # first: if it raises, the run is not counted by half
            past.steps.update((run.workflow, step) for step in failed)
        past.done.add(run.number)
        past.ends[run.workflow, run.state] += 1
        _measure(past, run)

    def _advance(self, rows: list[_Run]) -> None:
        past = self._past
        for run in rows:
            if run.number not in past.done:
                break
            past.done.discard(run.number)
            past.number = run.number


def _measure(past: _Past, run: _Run) -> None:
    if run.state in {"success", "failure"}:
        before = past.last.get(run.workflow)
        if before is None or (run.ended or 0) >= (before.ended or 0):
            past.last[run.workflow] = run
    if run.created is not None and run.started is not None:
        past.queued.setdefault(run.workflow, _Histogram()).add(max(0.0, run.started - run.created))
    if run.started is None or run.ended is None:
        return
    past.durations.setdefault(run.workflow, _Histogram()).add(run.ended - run.started)
    if run.state == "success":
        past.good.setdefault(run.workflow, deque(maxlen=_SEEN)).append(run.ended - run.started)


def _ended(past: _Past) -> Iterator[Reading]:
    for (workflow, state), count in past.ends.items():
        yield Reading("dataflow_runs_total", (workflow, state), count)
    for (workflow, step), count in past.steps.items():
        yield Reading("dataflow_step_failures_total", (workflow, step), count)
    for workflow, found in past.durations.items():
        yield Reading("dataflow_run_duration_seconds", (workflow,), found.distribution())
    for workflow, found in past.queued.items():
        yield Reading("dataflow_run_queue_seconds", (workflow,), found.distribution())
    for workflow, taken in past.good.items():
        if len(taken) >= _ENOUGH_RUNS:
            yield Reading("dataflow_run_typical_duration_seconds", (workflow,), round(median(taken), 3))
    for workflow, run in past.last.items():
        yield Reading("dataflow_workflow_last_run_success", (workflow,), float(run.state == "success"))
        if run.ended is not None:
            yield Reading("dataflow_workflow_last_run_end_timestamp_seconds", (workflow,), run.ended)


def _open(live: list[_Run]) -> Iterator[Reading]:
    for (workflow, state), count in Counter((run.workflow, run.state) for run in live).items():
        yield Reading("dataflow_runs_open", (workflow, state), count)
    longest: dict[str, float] = {}
    for run in live:
        if run.started is not None:
            longest[run.workflow] = max(longest.get(run.workflow, 0.0), time.time() - run.started)
    for workflow, elapsed in longest.items():
        yield Reading("dataflow_run_elapsed_seconds", (workflow,), round(elapsed, 3))


def _beats(past: _Past, off: list[str]) -> Iterator[Reading]:
    """When schedules asked last; and how often they do, for those that nobody has turned off."""
    for (workflow, schedule), starts in past.starts.items():
        times = [time_ for _, time_ in starts]
        yield Reading("dataflow_schedule_last_run_timestamp_seconds", (workflow, schedule), times[-1])
        if len(times) < _ENOUGH_STARTS or any(f'"{schedule}"' in body for body in off):
            continue
        typical = median(late - early for early, late in pairwise(times))
        yield Reading("dataflow_schedule_typical_interval_seconds", (workflow, schedule), round(typical, 3))


def _run(row: tuple[object, ...]) -> _Run:
    number, run_id, workflow, status, created, started, ended, schedule = row
    return _Run(
        int(str(number)),
        str(run_id),
        str(workflow),
        state_of(str(status)),
        seconds(created),
        seconds(started),
        seconds(ended),
        str(schedule) if schedule else None,
    )


def workflows_of(history: History, run_ids: set[str]) -> dict[str, str]:
    """The workflow of each run."""
    if not run_ids:
        return {}
    sql = f"SELECT run_id, pipeline_name FROM runs WHERE run_id IN ({listed(sorted(run_ids))})"
    return {str(run_id): str(workflow) for run_id, workflow in history.ask("runs", sql)}
