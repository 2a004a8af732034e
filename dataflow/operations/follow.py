"""Follow a run to its end, whatever happens to Dagster meanwhile, and say how it ended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from dataflow.clients.runs import RunHistory
from dataflow.errors import Action, BackendError, ChecksFailedError, RunFailedError
from dataflow.events import Noted, Report
from dataflow.models import FINISHED, LogLine, Run
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.following import Progress, reported
from dataflow.operations.run import Launched
from dataflow.operations.run_logs import around_failure
from dataflow.operations.runs import write_end
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_POLL = 0.25
_AWAY = 120.0
_SETTLE = 30.0  # seconds a run's process may take to write its first word, or to publish the snapshot after its last


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, with its steps and checks; after a failure also the log lines before it."""

    run: Run
    through: Literal["dagster", "process"]
    progress: Progress
    url: str | None
    log_lines: tuple[LogLine, ...] = ()


def follow(context: Context, launched: Launched, report: Report) -> RunResult:
    """Report what the run does until it has ended.

    Raises:
        RunFailedError: RUN_FAILED or RUN_CANCELED, with the failing step, its error and the log lines around it.
        ChecksFailedError: CHECKS_FAILED where it succeeded but checks of severity ERROR did not hold.
    """
    if launched.run_id is None:
        raise AssertionError("a dry run has nothing to follow")
    run, progress = _watch(context, launched.run_id, report)
    _settle(context, run.id)
    page = context.url(WEBSERVER) if launched.through == "dagster" else None
    failed = run.state != "success"
    lines = around_failure(context, run.id, progress.failed.name if progress.failed else None) if failed else []
    result = RunResult(run, launched.through, progress, f"{page}/runs/{run.id}" if page else None, tuple(lines))
    _raise_unless_good(result)
    return result


def _watch(context: Context, run_id: str, report: Report) -> tuple[Run, Progress]:
    history: RunHistory = context.history()
    progress, cursor = Progress.empty(), None
    last_word, away = time.monotonic(), 0.0
    while True:
        try:
            # In this order: once the run has ended, what it says is all there is.
            run, page = history.run(run_id), history.events(run_id, cursor)
        except BackendError:
            if history is not context.dagster:
                raise
            if not context.has_files:
                away = _wait_for_dagster(run_id, away, report)
                continue
            words = "Dagster does not answer: following the run in its files. The run itself goes on."
            report(Noted(words, warning=True))
            history = context.history_files
            continue
        away = 0.0
        for event in page.events:
            told = reported(event, progress)
            progress = progress.after([event])
            if told:
                report(told)
        cursor = page.cursor or cursor
        if page.events:
            last_word = time.monotonic()
        elif run and run.state in FINISHED:
            return run, progress
        else:
            _notice_death(context, run_id, history, time.monotonic() - last_word)
            time.sleep(_POLL)


def _wait_for_dagster(run_id: str, away: float, report: Report) -> float:
    """Under Docker only Dagster knows: wait until its container is back. Since when it is away, in monotonic seconds.

    Raises:
        BackendError: BACKEND_DOWN after two minutes.
    """
    now = time.monotonic()
    if not away:
        report(Noted("Dagster does not answer: waiting for it. The run itself goes on.", warning=True))
    elif now - away > _AWAY:
        actions = (
            Action("See what is wrong", "dataflow status"),
            Action("Look at the run again", f"dataflow workflow status {run_id[:8]}"),
        )
        message = "Dagster does not answer; the run may go on."
        raise BackendError(message, code="BACKEND_DOWN", actions=actions, retryable=True)
    time.sleep(1)
    return away or now


def _notice_death(context: Context, run_id: str, history: RunHistory, quiet: float) -> None:
    """A worker that is gone without a last word has crashed. The daemon marks that; where it is down, we do."""
    by_daemon = history is context.dagster
    if by_daemon and quiet < _SETTLE:
        return
    worker = workers.find(context.paths, run_id)
    if not (worker and worker.alive) and history.run(run_id) is None:
        raise _never_made(context, run_id)
    if worker and not worker.alive:
        write_end(context, worker)
        workers.forget(context.paths, run_id)
    elif worker is None and quiet > _SETTLE and not by_daemon:
        context.dagster_files.end(run_id, "The run's process never began.")


def _never_made(context: Context, run_id: str) -> RunFailedError:
    """The error for a process that ended before its run was in the history, with its last words."""
    log = context.paths.logs / "worker.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    message = f"The process of the run {run_id[:8]} ended before the run had begun."
    actions = (Action("See whether the workflows are right", "dataflow workflow validate"),)
    return RunFailedError(message, hint=lines[-1] if lines else None, actions=actions)


def _settle(context: Context, run_id: str) -> None:
    """Wait until the run's process has published the snapshot and gone."""

    def alive() -> bool:
        worker = workers.find(context.paths, run_id)
        return worker is not None and worker.alive

    wait_until(alive, lambda there: not there, timeout=_SETTLE, interval=0.05)


def _raise_unless_good(result: RunResult) -> None:
    run, progress = result.run, result.progress
    short = run.id[:8]
    logs = Action("Read its log", f"dataflow workflow logs {short}")
    why = Action("See why", f"dataflow why {short}")
    if run.state == "success":
        failed = [check.name for check in progress.checks if not check.passed]
        if failed:
            count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
            message = f"The run {short} of {run.workflow} succeeded, but {count} did not hold: {', '.join(failed)}."
            raise ChecksFailedError(message, actions=(why, logs), data=result)
        return
    if run.state == "canceled":
        message = f"The run {short} of {run.workflow} was cancelled."
        raise RunFailedError(message, code="RUN_CANCELED", actions=(logs,), data=result)
    step = progress.failed
    what = f"at step {step.name}: {step.error}" if step else f"outside its steps: {progress.error or 'no reason given'}"
    hint = "\n".join(f"{line.level:<8}{line.message}" for line in result.log_lines) or None
    again = Action("Run what did not succeed again", f"dataflow workflow retry {short} --from-failure")
    message = f"The run {short} of {run.workflow} failed {what}"
    raise RunFailedError(message, hint=hint, actions=(why, logs, again), retryable=True, data=result)
