"""Why a workflow cannot run: its code, or a secret that nobody has set."""

from __future__ import annotations

from dataflow.errors import Action, ConfigurationError
from dataflow.models import Finding, WorkflowInfo
from dataflow.operations.causes.looked import Looked
from dataflow.operations.causes.model import MOST_ACTIONS, Fact, Problem, Subject
from dataflow.operations.preflight import require_secrets


def workflow_problems(looked: Looked) -> list[Problem]:
    """Every workflow that does not load, then every one that lacks a secret."""
    broken: dict[str, list[Finding]] = {}
    for finding in looked.workflows.findings:
        if finding.severity == "error":
            broken.setdefault(_workflow_of(looked, finding), []).append(finding)
    problems = [_broken(looked, name, findings) for name, findings in sorted(broken.items())]
    return problems + [found for info in looked.workflows.workflows if (found := _missing(looked, info))]


def _workflow_of(looked: Looked, finding: Finding) -> str:
    """The folder under `workflows/` that a finding is in."""
    root = looked.context.paths.workflows
    path = finding.place.path
    return path.relative_to(root).parts[0] if path.is_relative_to(root) and path != root else path.name


def _broken(looked: Looked, name: str, findings: list[Finding]) -> Problem:
    facts: list[Fact] = []
    for finding in findings:
        root, place = looked.context.paths.root, finding.place
        path = place.path.relative_to(root) if place.path.is_relative_to(root) else place.path
        facts.append(Fact("at", ":".join(str(part) for part in (path, place.line) if part is not None)))
        facts += [Fact("line", place.snippet.strip())] if place.snippet else []
        facts += [Fact("finding", f"{finding.rule}: {finding.message}")]
        facts += [Fact("hint", finding.hint)] if finding.hint else []
    actions = (
        Action("After mending it, check", "dataflow workflow list"),
        Action("Then", f"dataflow workflow run {name}"),
    )
    summary = f"The workflow {name} does not load: {findings[0].message}"
    return Problem(Subject("workflow", name), "workflow-broken", summary, tuple(facts), actions=actions)


def _missing(looked: Looked, info: WorkflowInfo) -> Problem | None:
    try:
        require_secrets(looked.context, info)
    except ConfigurationError as error:
        facts = (Fact("looked in", f"{looked.context.paths.env} and the environment"),)
        actions = error.actions[:MOST_ACTIONS]
        return Problem(Subject("workflow", info.name), "missing-secret", error.message, facts, actions=actions)
    return None
