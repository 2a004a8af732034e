"""Take the platform down: runs are cancelled in order, services stopped, nothing is left behind."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dataflow.events import Report, StepChanged
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.runs import reconcile
from dataflow.system.files import exclusive
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_CANCEL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class DownResult:
    """What ended. `processes` counts everything that carried this project's mark."""

    project: str
    processes: int
    cancelled_runs: tuple[str, ...]
    seconds: float


def down(context: Context, report: Report) -> DownResult:
    """Stop everything. Data, history, logs and ports are kept. Safe when nothing runs."""
    began = time.monotonic()
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "down"):
        cancelled = _cancel_runs(context, report)
        processes = context.engine.shut_down(report)
        reconcile(context)
    return DownResult(context.name, processes, cancelled, round(time.monotonic() - began, 2))


def _cancel_runs(context: Context, report: Report) -> tuple[str, ...]:
    """Runs end as cancelled, with their own last words, while they still can."""
    alive = [worker for worker in workers.all_workers(context.paths) if worker.alive]
    history = context.history() if alive else None
    for worker in alive:
        report(StepChanged(f"run {worker.run_id[:8]}", "started", "cancelling"))
        if history is None or not history.cancel(worker.run_id):
            workers.interrupt(context.paths, worker)  # it has not written its first word yet
    wait_until(lambda: [worker for worker in alive if worker.alive], lambda left: not left, timeout=_CANCEL_SECONDS)
    return tuple(worker.run_id for worker in alive)
