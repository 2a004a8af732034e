"""What workflows there are, and one of them by name."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.config.validation import suggestion
from dataflow.errors import Action, ConfigurationError, UsageError
from dataflow.models import Finding, Run, WorkflowInfo
from dataflow.operations.context import Context


@dataclass(frozen=True, slots=True)
class WorkflowList:
    """Every workflow that loads, and what is wrong with the others."""

    workflows: tuple[WorkflowInfo, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class WorkflowDetail:
    """One workflow with its newest runs."""

    workflow: WorkflowInfo
    runs: tuple[Run, ...]


def list_workflows(context: Context, *, tag: str | None = None) -> WorkflowList:
    """All workflows of the project, or those with a tag."""
    found = context.workflows
    chosen = tuple(item for item in found.workflows if tag is None or tag in item.tags)
    return WorkflowList(chosen, found.findings)


def show_workflow(context: Context, name: str) -> WorkflowDetail:
    """One workflow. Raises UsageError WORKFLOW_UNKNOWN or ConfigurationError WORKFLOW_BROKEN."""
    info = find_workflow(context, name)
    return WorkflowDetail(info, tuple(context.history().runs(workflow=name, limit=5)))


def find_workflow(context: Context, name: str) -> WorkflowInfo:
    """The workflow called `name`; where it is broken, what is wrong with it."""
    found = context.workflows.find(name)
    if found:
        return found
    for finding in context.workflows.findings:
        folder = context.paths.workflows / name
        if folder in (finding.place.path, *finding.place.path.parents):
            actions = (Action("See all findings", "dataflow workflow list"),)
            message = f"The workflow '{name}' does not load: {finding.message}"
            raise ConfigurationError(
                message, code="WORKFLOW_BROKEN", hint=finding.hint, place=finding.place, actions=actions
            )
    names = [item.name for item in context.workflows.workflows]
    hint = suggestion(name, names) or (f"There are: {', '.join(names)}." if names else "The project has none yet.")
    raise UsageError(f"There is no workflow '{name}'.", code="WORKFLOW_UNKNOWN", hint=hint)
