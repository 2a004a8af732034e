"""Ask for a run of a workflow: of the running Dagster, or in a process of its own without it."""

from __future__ import annotations

import json
import statistics
import uuid
from dataclasses import dataclass, replace
from typing import Any, Literal

from dataflow.errors import Action, MissingError, UsageError
from dataflow.events import Noted, Report
from dataflow.models import WorkflowInfo
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.workflows import find_workflow
from dataflow.workflows import partitions, workers

_LOOKED_AT = 5  # runs that tell how long the next one takes
WHERE = {"dagster": "on the running Dagster", "process": "in a process of its own: Dagster is down"}


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`values`: texts of `--set name=value`. `assets`: selections, none for all. `tags`: added to the run.

    `partition`: a key or `last`, for a workflow that has partitions. `attended`: in a process of its own that has our
    terminal, for a debugger.
    """

    workflow: str
    values: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    partition: str | None = None
    dry_run: bool = False
    attended: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A run that could start: its workflow, the typed parameters, the chosen assets (none for all), and its tags."""

    info: WorkflowInfo
    values: dict[str, Any]
    assets: tuple[str, ...]
    tags: dict[str, str]

    @property
    def config(self) -> dict[str, Any]:
        """As Dagster wants it."""
        return {"resources": {f"{self.info.name}_parameters": {"config": self.values}}} if self.values else {}

    def tagged(self, partition: str | None) -> dict[str, str]:
        """The tags, with the one that names the partition."""
        return {**self.tags, **({partitions.TAG: partition} if partition else {})}


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
    partition: str | None = None
    expected: float | None = None


def launch(context: Context, options: RunOptions, report: Report) -> Launched:
    """Check everything that can be checked, then ask for the run.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, PARAMETER_UNKNOWN, PARAMETER_INVALID, SELECTION_INVALID, ASSET_UNKNOWN,
            SELECTION_PARTIAL, PARTITION_MISSING, PARTITION_UNKNOWN, PARTITIONS_NONE, RUN_REFUSED.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
            With `attended` also NATIVE_ONLY.
        MissingError: SERVICE_DOWN for a service the workflow requires, and under Docker for Dagster itself.
    """
    checked = check(context, options)
    info = checked.info
    through = _in_terminal(context) if options.attended else carried_by(context)
    shown = {item.name: checked.values.get(item.name, item.default) for item in info.parameters}
    partition = partitions.one_of(info, options.partition)
    launched = Launched(info.name, None, through, shown, checked.assets or info.assets, partition)
    if options.dry_run:
        return replace(launched, expected=None if checked.assets else _usual_seconds(context, info.name))
    preflight.require_services(context, info)
    with audited(context, "workflow run", info.name):
        if through == "dagster":
            code.refresh(context, info.name)
        run_id = _attend(context, checked, partition) if options.attended else ask(context, checked, partition)
    if not options.attended:
        for_what = f" for {partition}" if partition else ""
        report(Noted(f"Run {run_id[:8]} of {info.name}{for_what} {WHERE[through]}."))
    return replace(launched, run_id=run_id)


def check(context: Context, options: RunOptions) -> Checked:
    """Everything that can be checked without asking a service. Raises as `launch` does."""
    info = find_workflow(context, options.workflow)
    values = preflight.parameters(info, options.values)
    chosen = _chosen(info, options.assets)
    preflight.require_secrets(context, info)
    return Checked(info, values, chosen, {"dataflow/workflow": info.name, **preflight.tags(options.tags)})


def ask(context: Context, checked: Checked, partition: str | None) -> str:
    """Ask for one run, of a partition where there are some, and return its id. Raises UsageError RUN_REFUSED."""
    if carried_by(context) == "dagster":
        return context.dagster.launch(checked.info.name, checked.config, checked.tagged(partition), checked.assets)
    return start(context, checked.info, *_words(checked, partition))


def _words(checked: Checked, partition: str | None) -> list[str]:
    """What a run's process is told of it."""
    given = {"--config": checked.config, "--tags": checked.tagged(partition), "--assets": checked.assets}
    return [word for name, part in given.items() for word in (name, json.dumps(part))]


def _in_terminal(context: Context) -> Literal["process"]:
    if context.has_files:
        return "process"
    message = "Under Docker a run has a container's process, not one of this terminal."
    hint = "`dataflow workflow test` runs its code here, and with DATAFLOW_ENGINE=native all of it runs here."
    raise UsageError(message, code="NATIVE_ONLY", hint=hint)


def _attend(context: Context, checked: Checked, partition: str | None) -> str:
    """Run it in our terminal, to its end."""
    run_id = str(uuid.uuid4())
    context.prepare_history()
    words = ["--workflow", checked.info.name, *_words(checked, partition)]
    workers.attend(context.paths, run_id, checked.info.name, context.native.worker_environment(), words)
    return run_id


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
