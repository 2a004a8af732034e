"""Ask for a run of a workflow: of the running Dagster, or in a process of its own without it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from dataflow.errors import Action, MissingError
from dataflow.events import Noted, Report
from dataflow.models import WorkflowInfo
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.workflows import find_workflow
from dataflow.system.waiting import wait_until
from dataflow.workflows import workers

_RELOAD = 60.0  # seconds Dagster may take to import the workflows again


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


def launch(context: Context, options: RunOptions, report: Report) -> Launched:
    """Check everything that can be checked, then ask for the run.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, PARAMETER_UNKNOWN, PARAMETER_INVALID, RUN_REFUSED.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
        MissingError: SERVICE_DOWN for a service the workflow requires, and under Docker for Dagster itself.
    """
    info = find_workflow(context, options.workflow)
    values = preflight.parameters(info, options.values)
    shown = {item.name: values.get(item.name, item.default) for item in info.parameters}
    through: Literal["dagster", "process"] = "dagster" if context.dagster_answers() else "process"
    if through == "process" and not context.has_files:
        raise not_up(context)
    preflight.require_secrets(context, info)
    if options.dry_run:
        return Launched(info.name, None, through, shown, info.assets)
    preflight.require_services(context, info)
    config = {"resources": {f"{info.name}_parameters": {"config": values}}} if values else {}
    tags = {"dataflow/workflow": info.name, **preflight.tags(options.tags)}
    with audited(context, "workflow run", info.name):
        begin = _ask_dagster if through == "dagster" else _start
        run_id = begin(context, info, config, tags)
    where = "on the running Dagster" if through == "dagster" else "in a process of its own: Dagster is down"
    report(Noted(f"Run {run_id[:8]} of {info.name} {where}."))
    return Launched(info.name, run_id, through, shown, info.assets)


def not_up(context: Context) -> MissingError:
    """The error for a run under Docker while Dagster's containers are down."""
    message = "Dagster does not run, and under Docker it carries out every run."
    actions = (Action("Start the platform", "dataflow up"), Action("See what is wrong", "dataflow status"))
    hint = f"The engine is docker ({context.choice.reason})."
    return MissingError(message, code="SERVICE_DOWN", hint=hint, actions=actions, retryable=True)


def _ask_dagster(context: Context, info: WorkflowInfo, config: dict[str, Any], tags: dict[str, str]) -> str:
    """Launch there; where the workflows changed since Dagster imported them, have it import them again first."""
    if code.is_stale(context):
        context.dagster.reload()
        wait_until(context.dagster.jobs, lambda names: info.name in names, timeout=_RELOAD, interval=0.3)
        code.remember(context)
    return context.dagster.launch(info.name, config, tags)


def _start(context: Context, info: WorkflowInfo, config: dict[str, Any], tags: dict[str, str]) -> str:
    run_id = str(uuid.uuid4())
    engine = context.native
    context.prepare_history()
    arguments = ["--workflow", info.name, "--config", json.dumps(config), "--tags", json.dumps(tags)]
    workers.start(context.paths, run_id, info.name, engine.worker_environment(), arguments)
    return run_id
