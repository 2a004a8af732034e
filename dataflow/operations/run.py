"""Run a workflow and follow it to its end: through the running Dagster, or in a process of its own without it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from dataflow.clients.runs import RunHistory
from dataflow.errors import (
    Action,
    BackendError,
    ChecksFailedError,
    RunFailedError,
)
from dataflow.events import Noted, Report
from dataflow.models import FINISHED, LogLine, Run, WorkflowInfo
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.context import CODE_SERVER, WEBSERVER, Context
from dataflow.operations.following import Progress, reported
from dataflow.operations.run_logs import around_failure
from dataflow.operations.runs import write_end
from dataflow.operations.workflows import find_workflow
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_POLL = 0.25
_RELOAD = 60.0  # seconds Dagster may take to import the workflows again
_SETTLE = 30.0  # seconds a finished run's process may take to publish the snapshot


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`values`: texts of `--set name=value`. `tags`: added to the run."""

    workflow: str
    values: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Launched:
    """A run that was asked for. `through`: who carries it out. No id after a dry run."""

    workflow: str
    run_id: str | None
    through: Literal["dagster", "process"]
    parameters: dict[str, str | int | float | bool | None]
    assets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, with its steps and checks."""

    run: Run
    through: Literal["dagster", "process"]
    progress: Progress
    url: str | None
    log_lines: tuple[LogLine, ...] = ()


def launch(context: Context, options: RunOptions, report: Report) -> Launched:
    """Check everything that can be checked, then ask for the run.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, PARAMETER_UNKNOWN, PARAMETER_INVALID, RUN_REFUSED.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
        MissingError: SERVICE_DOWN for a service the workflow requires.
    """
    info = find_workflow(context, options.workflow)
    values = preflight.parameters(info, options.values)
    shown = {item.name: values.get(item.name, item.default) for item in info.parameters}
    through: Literal["dagster", "process"] = "dagster" if context.dagster_answers() else "process"
    preflight.require_secrets(context, info)
    if options.dry_run:
        return Launched(info.name, None, through, shown, info.assets)
    preflight.require_services(context, info)
    resource = {
        "config": {
            key: str(value) if not isinstance(value, str | int | float | bool) else value
            for key, value in values.items()
        }
    }
    config = {"resources": {f"{info.name}_parameters": resource}} if values else {}
    tags = {"dataflow/workflow": info.name, **preflight.tags(options.tags)}
    with audited(context, "workflow run", info.name):
        run_id = (
            _ask_dagster(context, info, config, tags) if through == "dagster" else _start(context, info, config, tags)
        )
    where = "on the running Dagster" if through == "dagster" else "in a process of its own: Dagster is down"
    report(Noted(f"Run {run_id[:8]} of {info.name} {where}."))
    return Launched(info.name, run_id, through, shown, info.assets)


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
    url = f"{page}/runs/{run.id}" if page else None
    result = RunResult(run, launched.through, progress, url)
    _raise_unless_good(context, result)
    return result


def _watch(context: Context, run_id: str, report: Report) -> tuple[Run, Progress]:
    history: RunHistory = context.history()
    progress, cursor = Progress.empty(), None
    last_word = time.monotonic()
    while True:
        try:
            page = history.events(run_id, cursor)
            run = history.run(run_id)
        except BackendError as error:
            if history is not context.dagster or error.code not in {
                "BACKEND_DOWN",
                "BACKEND_NONSENSE",
                "DAGSTER_FAILED",
            }:
                if history is context.dagster or time.monotonic() - last_word > _SETTLE:
                    raise
                time.sleep(_POLL)
                continue
            report(
                Noted("Dagster does not answer: following the run in its files. The run itself goes on.", warning=True)
            )
            history = context.dagster_files
            continue
        for event in page.events:
            told = reported(event, progress)
            progress = progress.after([event])
            if told:
                report(told)
        cursor = page.cursor or cursor
        if page.events:
            last_word = time.monotonic()
            continue
        if run and run.state in FINISHED:
            return run, progress
        _notice_death(context, run_id, history, last_word)
        time.sleep(_POLL)


def _notice_death(context: Context, run_id: str, history: RunHistory, last_word: float) -> None:
    """A worker that is gone without a last word has crashed. The daemon marks that; where it is down, we do."""
    worker = workers.find(context.paths, run_id)
    quiet = time.monotonic() - last_word
    if worker is None and quiet > _SETTLE and history is not context.dagster:
        context.dagster_files.end(run_id, "The run's process never began.")
    if worker and not worker.alive and (history is not context.dagster or quiet > _SETTLE):
        write_end(context, worker)
        workers.forget(context.paths, run_id)


def _settle(context: Context, run_id: str) -> None:
    """Wait until the run's process has published the snapshot and gone."""

    def alive() -> bool:
        worker = workers.find(context.paths, run_id)
        return worker is not None and worker.alive

    wait_until(alive, lambda there: not there, timeout=_SETTLE, interval=0.05)


def _raise_unless_good(context: Context, result: RunResult) -> None:
    run, progress = result.run, result.progress
    short = run.id[:8]
    logs = Action("Read its log", f"dataflow workflow logs {short}")
    if run.state == "success":
        failed = [check.name for check in progress.checks if not check.passed]
        if failed:
            message = (
                f"The run {short} of {run.workflow} succeeded, but {_count(failed)} did not hold: {', '.join(failed)}."
            )
            raise ChecksFailedError(message, actions=(logs,), data=result)
        return
    if run.state == "canceled":
        message = f"The run {short} of {run.workflow} was cancelled."
        raise RunFailedError(message, code="RUN_CANCELED", actions=(logs,), data=result)
    step = progress.failed
    what = f"at step {step.name}: {step.error}" if step else progress.error or "no step says why"
    lines = around_failure(context, run.id, step.name if step else None)
    hint = "\n".join(f"{line.level:<8}{line.message}" for line in lines) or None
    again = Action("Run it again", f"dataflow workflow run {run.workflow}")
    message = f"The run {short} of {run.workflow} failed {what}"
    raise RunFailedError(message, hint=hint, actions=(logs, again), retryable=True, data=result)


def _count(names: list[str]) -> str:
    return "1 check" if len(names) == 1 else f"{len(names)} checks"


def _ask_dagster(context: Context, info: WorkflowInfo, config: dict[str, Any], tags: dict[str, str]) -> str:
    """Launch there; where the workflows changed since Dagster imported them, have it import them again first."""
    if code.is_stale(context):
        context.dagster.reload()
        wait_until(context.dagster.jobs, lambda names: info.name in names, timeout=_RELOAD, interval=0.3)
        code.remember(context)
    return context.dagster.launch(info.name, config, tags)


def _start(context: Context, info: WorkflowInfo, config: dict[str, Any], tags: dict[str, str]) -> str:
    run_id = str(uuid.uuid4())
    context.engine.write_files(CODE_SERVER)
    if not (context.paths.dagster_home / "history").exists():
        context.dagster_files.runs(limit=1)  # makes the history's files, which two processes should not do at once
    arguments = ["--workflow", info.name, "--config", json.dumps(config), "--tags", json.dumps(tags)]
    workers.start(context.paths, run_id, info.name, context.engine.worker_environment(), arguments)
    return run_id
