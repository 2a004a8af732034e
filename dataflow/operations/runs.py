"""Look at runs and end them: history is the same whether Dagster is up or down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dataflow.clients.runs import STATES, RunHistory
from dataflow.config.validation import suggestion
from dataflow.errors import Action, UsageError
from dataflow.events import Report, StepChanged
from dataflow.models import FINISHED, Run, RunState
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.following import CheckOutcome, Progress
from dataflow.operations.moments import moment
from dataflow.operations.workflows import find_workflow
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_CANCEL_SECONDS = 30.0
_SEARCHED = 500


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, the newest first."""

    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with its steps and checks."""

    run: Run
    progress: Progress

    @property
    def failed_checks(self) -> tuple[CheckOutcome, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.progress.checks if not check.passed)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs: of one workflow or all, in some states or any, made since a time or ever; the newest so many."""

    workflow: str | None = None
    states: tuple[str, ...] = ()
    since: str | None = None
    limit: int = 20


def list_runs(context: Context, wanted: RunFilter) -> RunList:
    """The runs, the newest first.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, STATE_UNKNOWN, TIME_INVALID.
    """
    states: list[RunState] = [_state(word) for word in wanted.states]
    if wanted.workflow:
        find_workflow(context, wanted.workflow)
    begin = moment(wanted.since, datetime.now(UTC)) if wanted.since else None
    reconcile(context)
    found = context.history().runs(workflow=wanted.workflow, states=states, since=begin, limit=wanted.limit)
    return RunList(tuple(found))


def watch(context: Context, wanted: RunFilter, *, interval: float) -> Iterator[RunList]:
    """The same, again and again, every `interval` seconds. Raises as `list_runs` does."""
    while True:
        yield list_runs(Context(context.paths), wanted)  # anew: the platform may come and go meanwhile
        time.sleep(interval)


def _state(word: str) -> RunState:
    known: dict[str, RunState] = {state: state for state in STATES.values()}
    if word not in known:
        hint = suggestion(word, known) or f"There are: {', '.join(known)}."
        raise UsageError(f"'{word}' is no state of a run.", code="STATE_UNKNOWN", hint=hint)
    return known[word]


def show_run(context: Context, run_id: str) -> RunDetail:
    """One run by its id, or the beginning of it. Raises UsageError RUN_UNKNOWN."""
    reconcile(context)
    history = context.history()
    run = find_run(context, history, run_id)
    progress = Progress.empty()
    cursor = None
    while True:
        page = history.events(run.id, cursor)
        if not page.events:
            return RunDetail(run, progress)
        progress, cursor = progress.after(page.events), page.cursor


def cancel_run(context: Context, run_id: str, report: Report) -> RunDetail:
    """Ask a run to end and wait until it has. Raises UsageError RUN_UNKNOWN or RUN_FINISHED."""
    history = context.history()
    run = find_run(context, history, run_id)
    if run.state in FINISHED:
        message = f"The run {run.id[:8]} has ended already: {run.state}."
        raise UsageError(message, code="RUN_FINISHED")
    with audited(context, "workflow cancel", run.id):
        report(StepChanged(f"run {run.id[:8]}", "started", "cancelling"))
        wait_until(
            lambda: _asked_to_end(context, history, run.id),
            lambda now: now is None or now.state in FINISHED,
            timeout=_CANCEL_SECONDS,
            interval=0.3,
        )
    return show_run(context, run.id)


def _asked_to_end(context: Context, history: RunHistory, run_id: str) -> Run | None:
    """The run as it is now, after asking it to end. Until its process has begun nobody hears that: ask again."""
    run = history.run(run_id) or _beginning(context, run_id)
    if run and run.state not in FINISHED and run.state != "canceling":
        history.cancel(run_id)
    return run


def find_run(context: Context, history: RunHistory, run_id: str) -> Run:
    """The run whose id is or begins with `run_id`; `last` is the newest. Raises UsageError RUN_UNKNOWN."""
    if len(run_id) == len("00000000-0000-0000-0000-000000000000"):
        exact = history.run(run_id) or _beginning(context, run_id)
        found = [exact] if exact else []
    else:
        recent = history.runs(limit=_SEARCHED)
        found = recent[:1] if run_id == "last" else [run for run in recent if run.id.startswith(run_id)]
    if len(found) == 1:
        return found[0]
    if run_id == "last":
        actions = (Action("See the workflows there are", "dataflow workflow list"),)
        raise UsageError("There are no runs yet.", code="RUN_UNKNOWN", actions=actions)
    message = f"{len(found)} runs begin with '{run_id}'." if found else f"There is no run '{run_id}'."
    actions = (Action("See the runs there are", "dataflow workflow runs"),)
    raise UsageError(message, code="RUN_UNKNOWN", hint="Give more of its id.", actions=actions)


def _beginning(context: Context, run_id: str) -> Run | None:
    """A run whose process is there but has not written its first word yet."""
    worker = workers.find(context.paths, run_id)
    return Run(run_id, worker.workflow, "starting") if worker and worker.alive else None


def reconcile(context: Context) -> None:
    """Let no run whose process is gone stay running for ever.

    The daemon does this while it is up (run monitoring, every 5 seconds); here it is done where it is not.
    """
    for worker in workers.all_workers(context.paths):
        if worker.alive:
            continue
        if context.dagster_answers():
            run = context.dagster.run(worker.run_id)
            finished = run is None or run.state in FINISHED
        elif context.has_files:
            write_end(context, worker)
            finished = True
        else:
            finished = False  # the daemon says so once it is back
        if finished:
            workers.forget(context.paths, worker.run_id)


def write_end(context: Context, worker: workers.Worker) -> None:
    """Say how the run of a dead process ended: cancelled where somebody had asked for it, else failed."""
    reason = "Cancelled." if worker.interrupted else "The run's process ended without a word: killed or crashed."
    context.dagster_files.end(worker.run_id, reason, canceled=worker.interrupted)
