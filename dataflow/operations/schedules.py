"""Schedules: which there are, when they start their workflow next, on and off."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.clients import schedules as client
from dataflow.clients.schedules import Schedule
from dataflow.errors import Action, MissingError, UsageError
from dataflow.operations import code
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.workflows import find_workflow


@dataclass(frozen=True, slots=True)
class ScheduleList:
    """Schedules, by workflow."""

    schedules: tuple[Schedule, ...]


def list_schedules(context: Context, workflow: str | None = None, *, ticks: int = 1) -> ScheduleList:
    """The schedules of one workflow or of all, each with its next `ticks` times.

    Raises:
        UsageError: WORKFLOW_UNKNOWN; SCHEDULE_MISSING where the workflow has none.
        MissingError: SERVICE_DOWN while Dagster is down: it keeps them, and starts nothing meanwhile.
    """
    if workflow:
        find_workflow(context, workflow)
    _require_dagster(context)
    if workflow:
        code.refresh(context, workflow)
    found = [one for one in client.schedules(context.dagster, ticks) if workflow in (None, one.workflow)]
    if workflow and not found:
        message = f"{workflow} has no schedule."
        hint = 'Give it one where it is registered: @register_workflow(…, schedule="15 6 * * *").'
        raise UsageError(message, code="SCHEDULE_MISSING", hint=hint)
    return ScheduleList(tuple(sorted(found, key=lambda one: (one.workflow, one.name))))


def switch(context: Context, workflow: str, *, on: bool) -> ScheduleList:
    """Switch the schedules of a workflow on or off; those that are so already stay so. Raises as list_schedules."""
    found = list_schedules(context, workflow).schedules
    with audited(context, f"workflow schedule {'on' if on else 'off'}", workflow):
        for one in found:
            if one.on != on:
                client.switch(context.dagster, one.name, on=on)
    return list_schedules(context, workflow)


def _require_dagster(context: Context) -> None:
    if not context.dagster_answers():
        actions = (Action("Start the platform", "dataflow up"), Action("See what is wrong", "dataflow status"))
        message = "Dagster does not run, and it keeps the schedules."
        raise MissingError(message, code="SERVICE_DOWN", actions=actions, retryable=True)
