"""One look at everything that `why` judges by, asked at the same time; what cannot be asked says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from dataflow.clients.runs import RunHistory, last_of_each
from dataflow.engines.base import Examined, Observation, Plan, PlanOptions
from dataflow.errors import DataflowError
from dataflow.models import Run, ServiceStatus
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.following import Progress
from dataflow.operations.services import is_good, statuses
from dataflow.workflows.catalogue import Catalogue

_RUNS_SEEN = 50
_RUNS_SEARCHED = 500
_PATIENCE = 2.0  # seconds for Dagster to answer
_PAGES = 20
_BLOCKED = re.compile(r"blocked by limit for pool (\S+)")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run with what happened in it. `blocked`: the pool that a step of it waits for now."""

    run: Run
    progress: Progress
    blocked: str | None = None
    blocked_since: datetime | None = None

    @classmethod
    def unread(cls, run: Run) -> RunSeen:
        """A run of which only the state is known."""
        return cls(run, Progress.empty())


@dataclass(frozen=True, slots=True)
class RunsSeen:
    """The newest runs first, and those of them whose events were read, by id."""

    runs: tuple[Run, ...] = ()
    read: Mapping[str, RunSeen] = field(default_factory=dict[str, RunSeen])


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything at one moment. `refused`: why `up` could plan nothing. `notes`: what could not be asked, and why."""

    context: Context
    observed: Observation
    services: Mapping[str, ServiceStatus]
    examined: Mapping[str, Examined]
    plan: Plan | None
    refused: DataflowError | None
    workflows: Catalogue
    runs: RunsSeen
    notes: tuple[str, ...] = ()


def look(context: Context, *, run_id: str | None = None) -> Looked:
    """Services, the plan, workflows and runs. `run_id`: a run that must be among those that are read."""
    engine = context.engine
    notes: list[str] = []
    with ThreadPoolExecutor(max_workers=4) as pool:
        examining = pool.submit(engine.examine)
        found = pool.submit(lambda: context.workflows)
        observed = engine.observe()
        services = {status.name: status for status in statuses(context, observed=observed, usage=False, timeout=1.0)}
        reading = pool.submit(_runs, context, services, run_id)
        planning = pool.submit(engine.plan, observed, PlanOptions())
        plan, refused = _planned(planning)
        workflows = _or_note(found, Catalogue((), ()), notes, "The workflows were not looked at")
        runs = _or_note(reading, RunsSeen(), notes, "Runs were not looked at")
        examined = _or_note(examining, {}, [] if observed.trouble else notes, "Containers were not looked into")
    return Looked(context, observed, services, examined, plan, refused, workflows, runs, tuple(notes))


def _planned(planning: Future[Plan]) -> tuple[Plan | None, DataflowError | None]:
    try:
        return planning.result(), None
    except DataflowError as error:
        return None, error


def _or_note(asked: Future[_T], otherwise: _T, notes: list[str], words: str) -> _T:
    try:
        return asked.result()
    except DataflowError as error:
        notes.append(f"{words}: {error.message}")
        return otherwise


def _runs(context: Context, services: Mapping[str, ServiceStatus], run_id: str | None) -> RunsSeen:
    """From the running Dagster, else from its files. Raises BackendError where neither can tell."""
    from dataflow.operations.runs import reconcile

    history = _history(context, services)
    if history is None:
        return RunsSeen()
    reconcile(context)
    runs = history.runs(limit=_RUNS_SEARCHED if run_id and run_id != "last" else _RUNS_SEEN)
    wanted = {run.id: run for run in last_of_each(runs).values() if run.state != "unknown"}
    wanted |= {run.id: run for run in runs if run.state == "running"}
    exact = history.run(run_id) if run_id and len(run_id) == len("00000000-0000-0000-0000-000000000000") else None
    named = (run for run in runs if run_id and (run_id == "last" or run.id.startswith(run_id)))
    asked = exact or next(named, None)
    if asked:
        wanted[asked.id] = asked
        runs = runs if asked in runs else [*runs, asked]
    with ThreadPoolExecutor(max_workers=4) as pool:
        read = pool.map(lambda run: _read(history, run), wanted.values())
        return RunsSeen(tuple(runs), dict(zip(wanted, read, strict=True)))


def _history(context: Context, services: Mapping[str, ServiceStatus]) -> RunHistory | None:
    """Who can tell of runs; None where there were never any."""
    from dataflow.clients.dagster import DagsterClient
    from dataflow.errors import BackendError

    web = services.get(WEBSERVER)
    if web and web.state == "running" and is_good(web):
        return DagsterClient(context.url(WEBSERVER) or "", timeout=_PATIENCE)
    if not context.has_files:
        raise BackendError("Dagster does not answer, and under Docker nobody else has the run history.")
    if not (context.paths.dagster_home / "history").is_dir():
        return None
    return context.history_files


def _read(history: RunHistory, run: Run) -> RunSeen:
    progress, cursor = Progress.empty(), None
    blocked: dict[str, tuple[str, datetime]] = {}
    for _ in range(_PAGES):
        page = history.events(run.id, cursor)
        if not page.events:
            break
        progress, cursor = progress.after(page.events), page.cursor
        for event in page.events:
            if found := _BLOCKED.search(event.message):
                blocked.setdefault(event.step or "", (found[1], event.time))
            elif event.kind == "step-started":
                blocked.pop(event.step or "", None)
    pool, since = next(iter(blocked.values()), (None, None)) if run.state == "running" else (None, None)
    return RunSeen(run, progress, pool, since)
