"""Ask for a run of a workflow: of the running Dagster, or in a process of its own without it."""

from __future__ import annotations

import json
import statistics
import uuid
from dataclasses import dataclass
from typing import Literal

from dataflow.errors import Action, MissingError, UsageError
from dataflow.events import Noted, Report
from dataflow.models import WorkflowInfo
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.workflows import find_workflow
from dataflow.workflows import workers

_LOOKED_AT = 5  # runs that tell how long the next one takes
WHERE = {"dagster": "on the running Dagster", "process": "in a process of its own: Dagster is down"}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`values`: texts of `--set name=value`. `assets`: selections, none for all. `tags`: added to the run."""

    workflow: str
    values: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Launched:
    """A run that was asked for. `through`: who carries it out.

    After a dry run there is no id, but `expected`: the median seconds of the newest runs that succeeded, where all of
    the workflow would run and has run before.
    """

    workflow: str
    run_id: str | None
    through: Literal["dagster", "process"]
    parameters: dict[str, str | int | float | bool | None]
    assets: tuple[str, ...]
    expected: float | None = None


def launch(context: Context, options: RunOptions, report: Report) -> Launched:
    """Check everything that can be checked, then ask for the run.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, PARAMETER_UNKNOWN, PARAMETER_INVALID, SELECTION_INVALID, ASSET_UNKNOWN,
            SELECTION_PARTIAL, RUN_REFUSED.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
        MissingError: SERVICE_DOWN for a service the workflow requires, and under Docker for Dagster itself.
    """
    info = find_workflow(context, options.workflow)
    values = preflight.parameters(info, options.values)
    shown = {item.name: values.get(item.name, item.default) for item in info.parameters}
    chosen = _chosen(info, options.assets)
    through = carried_by(context)
    preflight.require_secrets(context, info)
    if options.dry_run:
        expected = None if chosen else _usual_seconds(context, info.name)
        return Launched(info.name, None, through, shown, chosen or info.assets, expected)
    preflight.require_services(context, info)
    config = {"resources": {f"{info.name}_parameters": {"config": values}}} if values else {}
    tags = {"dataflow/workflow": info.name, **preflight.tags(options.tags)}
    with audited(context, "workflow run", info.name):
        if through == "dagster":
            code.refresh(context, info.name)
            run_id = context.dagster.launch(info.name, config, tags, chosen)
        else:
            given = {"--config": config, "--tags": tags, "--assets": chosen}
            run_id = start(context, info, *(word for name, part in given.items() for word in (name, json.dumps(part))))
    report(Noted(f"Run {run_id[:8]} of {info.name} {WHERE[through]}."))
    return Launched(info.name, run_id, through, shown, chosen or info.assets)


def carried_by(context: Context) -> Literal["dagster", "process"]:
    """Who carries out a run that is asked for now. Raises MissingError SERVICE_DOWN where nobody could."""
    if context.dagster_answers():
        return "dagster"
    if not context.has_files:
        raise not_up(context)
    return "process"


def start(context: Context, info: WorkflowInfo, *arguments: str) -> str:
    """Start a run's process, which makes the run in the history; return the run's id."""
    run_id = str(uuid.uuid4())
    engine = context.native
    context.prepare_history()
    words = ["--workflow", info.name, *arguments]
    workers.start(context.paths, run_id, info.name, engine.worker_environment(), words)
    return run_id


def _usual_seconds(context: Context, workflow: str) -> float | None:
    runs = context.history().runs(workflow=workflow, states=("success",), limit=_LOOKED_AT)
    seconds = [run.seconds for run in runs if run.seconds is not None]
    return round(statistics.median(seconds), 1) if seconds else None


def _chosen(info: WorkflowInfo, selections: tuple[str, ...]) -> tuple[str, ...]:
    """The assets that any of the selections means, in the order of the workflow."""
    if not selections:
        return ()
    from dataflow.workflows.selection import select

    found = {asset for text in selections for asset in select(info, text)}
    for step in info.together:
        if found.intersection(step) and not found.issuperset(step):
            message = f"One step of {info.name} computes or checks {', '.join(step)}: all of them or none."
            hint = "Select all of them, or give the step can_subset=True."
            raise UsageError(message, code="SELECTION_PARTIAL", hint=hint)
    return tuple(asset for asset in info.assets if asset in found)


def not_up(context: Context) -> MissingError:
    """The error for a run under Docker while Dagster's containers are down."""
    message = "Dagster does not run, and under Docker it carries out every run."
    actions = (Action("Start the platform", "dataflow up"), Action("See what is wrong", "dataflow status"))
    hint = f"The engine is docker ({context.choice.reason})."
    return MissingError(message, code="SERVICE_DOWN", hint=hint, actions=actions, retryable=True)
