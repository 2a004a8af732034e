"""A platform at rest: what a backup needs runs, no run is going on, and none begins, until the work is done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from dataflow.engines.base import PlanOptions
from dataflow.errors import Action, OperationFailedError
from dataflow.events import Noted, Report, ignore
from dataflow.operations.bring_up import bring_up
from dataflow.operations.context import OBJECT_STORE, Context
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

DAEMON = "dagster-daemon"
POSTGRES = "postgres"
MIGRATE = "dagster-migrate"
BUCKETS = "bucket-init"


def data_services(context: Context) -> tuple[str, ...]:
    """The wanted services that hold data, and the jobs that make their tables and buckets; without Dagster itself."""
    names = (OBJECT_STORE,) if context.has_files else (OBJECT_STORE, BUCKETS, POSTGRES, MIGRATE)
    return tuple(name for name in names if name in context.engine.wanted)


def has_objects(context: Context) -> bool:
    """Whether the project has an object store: it may be switched off."""
    return OBJECT_STORE in context.engine.wanted


def has_databases(context: Context) -> bool:
    """Whether the project has a Postgres on this engine."""
    return not context.has_files and POSTGRES in context.engine.wanted


def has_history(context: Context) -> bool:
    """Whether the project keeps run history: always in files, else with Dagster's job in the platform."""
    return context.has_files or MIGRATE in context.engine.wanted


@contextmanager
def at_rest(context: Context, report: Report, *, wait: float) -> Generator[None]:
    """No run is going on in the block. Dagster's daemon pauses: runs that are asked for meanwhile wait in its queue.

    Services with data that do not run are started for the block. Call it with the platform's lock held.

    Raises:
        OperationFailedError: RUNS_ACTIVE; a run still goes on after `wait` seconds.
        NotHealthyError: a service with data does not come up.
    """
    engine = context.engine
    observed = engine.observe()
    before = {name for name, process in observed.processes.items() if process.running}
    paused = DAEMON in before
    _wait_for_runs(context, report, wait)
    try:
        if paused:
            engine.stop([DAEMON], ignore)
        _wait_for_runs(context, report, wait)  # one may have begun before the daemon paused
        if needed := data_services(context):
            bring_up(context, PlanOptions(only=needed), ignore)
        yield
    finally:
        now = {name for name, process in engine.observe().processes.items() if process.running}
        if not observed.alive:
            engine.shut_down(ignore)
        elif started := sorted(now - before):
            engine.stop(started, ignore)
        if paused:
            engine.stop([DAEMON], ignore)  # an interrupt may have left a stop that goes on behind us
            bring_up(context, PlanOptions(only=(DAEMON,)), ignore, healthy=False)


def _wait_for_runs(context: Context, report: Report, wait: float) -> None:
    def active() -> list[str]:
        return [worker.run_id for worker in workers.all_workers(context.paths) if worker.alive]

    left = active()
    if left:
        report(Noted(f"Waiting for {_runs(left)} to end."))
    quiet, left = wait_until(active, lambda runs: not runs, timeout=wait, interval=0.3)
    if not quiet:
        message = f"Still going on after {wait:g} seconds: {_runs(left)}."
        actions = (
            Action("Wait longer", "dataflow backup create --wait 600"),
            Action("Or cancel it", f"dataflow workflow cancel {left[0][:8]}"),
        )
        raise OperationFailedError(message, code="RUNS_ACTIVE", actions=actions, retryable=True)


def _runs(ids: list[str]) -> str:
    """Runs in words."""
    if len(ids) == 1:
        return f"the run {ids[0][:8]}"
    return f"{len(ids)} runs ({', '.join(run_id[:8] for run_id in ids[:3])}{', …' if len(ids) > 3 else ''})"
