"""Take the platform down: runs are cancelled in order, services stopped, nothing is left behind."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dataflow.errors import ConfirmationNeeded
from dataflow.events import Report, StepChanged
from dataflow.models import EngineName
from dataflow.operations.audit import audited
from dataflow.operations.backup import before_loss
from dataflow.operations.context import Context
from dataflow.operations.runs import reconcile
from dataflow.operations.staging import recover
from dataflow.system.files import exclusive
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_CANCEL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class DownOptions:
    """`volumes`: also the engine's own data, after a backup unless `snapshot` is off."""

    volumes: bool = False
    confirmed: bool = False
    snapshot: bool = True


@dataclass(frozen=True, slots=True)
class DownResult:
    """What ended: processes natively, containers under Docker. `backup`: the one that was made before data went."""

    project: str
    engine: EngineName
    ended: int
    backup: str | None
    cancelled_runs: tuple[str, ...]
    seconds: float


def down(context: Context, options: DownOptions, report: Report) -> DownResult:
    """Stop everything. Data, history, logs and ports are kept, unless `volumes`. Safe when nothing runs.

    Raises:
        ConfirmationNeeded: data would go, and nobody confirmed it.
        MissingError: BUSY, ENGINE_DOWN.
    """
    began = time.monotonic()
    if options.volumes and not options.confirmed:
        message = f"This removes the objects, the run history, logs and metrics of {context.name}."
        hint = "A backup is made first unless --no-snapshot. Add --yes to do it."
        raise ConfirmationNeeded(message, hint=hint)
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "down", _detail(options)):
        recover(context, report)
        cancelled = _cancel_runs(context, report)
        kept = before_loss(context, "down --volumes", report) if options.volumes and options.snapshot else None
        ended = context.engine.shut_down(report, volumes=options.volumes)
        if context.has_files and not options.volumes:
            reconcile(context)
    seconds = round(time.monotonic() - began, 2)
    return DownResult(context.name, context.choice.name, ended, kept.id if kept else None, cancelled, seconds)


def _detail(options: DownOptions) -> str:
    return "--volumes" if options.volumes else ""


def _cancel_runs(context: Context, report: Report) -> tuple[str, ...]:
    """Runs end as cancelled, with their own last words, while they still can."""
    alive = [worker for worker in workers.all_workers(context.paths) if worker.alive]
    history = context.history() if alive and (context.has_files or context.dagster_answers()) else None
    for worker in alive:
        report(StepChanged(f"run {worker.run_id[:8]}", "started", "cancelling"))
        if history is None or not history.cancel(worker.run_id):
            workers.interrupt(context.paths, worker)  # it has not written its first word yet
    wait_until(lambda: [worker for worker in alive if worker.alive], lambda left: not left, timeout=_CANCEL_SECONDS)
    return tuple(worker.run_id for worker in alive)
