"""Everything that can be checked before a run begins, checked."""

from __future__ import annotations

from datetime import date
from typing import Any

from dataflow.config.validation import suggestion
from dataflow.errors import Action, ConfigurationError, MissingError, UsageError
from dataflow.models import WorkflowInfo
from dataflow.operations.context import Context
from dataflow.operations.services import GOOD, statuses
from dataflow.workflows.manifest import parse_parameter


def parameters(info: WorkflowInfo, texts: tuple[str, ...]) -> dict[str, Any]:
    """The typed values of `--set name=value`. Raises UsageError PARAMETER_UNKNOWN or PARAMETER_INVALID."""
    known = {item.name: item for item in info.parameters}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set takes name=value, not '{text}'.", code="PARAMETER_INVALID")
        if name not in known:
            hint = suggestion(name, known) or (f"It has: {', '.join(known)}." if known else "It has no parameters.")
            raise UsageError(f"{info.name} has no parameter '{name}'.", code="PARAMETER_UNKNOWN", hint=hint)
        try:
            parsed = parse_parameter(name, value, known[name].type)
            values[name] = str(parsed) if isinstance(parsed, date) else parsed  # Dagster's configuration has no dates
        except ValueError as error:
            raise UsageError(str(error), code="PARAMETER_INVALID") from error
    return values


def tags(texts: tuple[str, ...]) -> dict[str, str]:
    """The pairs of `--tag name=value`. Raises UsageError TAG_INVALID."""
    pairs = [text.partition("=") for text in texts]
    wrong = next((name for name, equals, _ in pairs if not equals), None)
    if wrong is not None:
        raise UsageError(f"--tag takes name=value, not '{wrong}'.", code="TAG_INVALID")
    return {name: value for name, _, value in pairs}


def require_secrets(context: Context, info: WorkflowInfo) -> None:
    """Refuse before anything starts. Raises ConfigurationError SECRET_MISSING."""
    env = context.engine.environment()
    missing = [name for name in info.secrets if not env.get(name)]
    if missing:
        message = f"{info.name} needs {', '.join(missing)}, which nobody has set."
        actions = tuple(Action(f"Set {name}", f"echo '{name}=…' >> .env") for name in missing)
        raise ConfigurationError(
            message, code="SECRET_MISSING", hint="Secrets come from .env or the environment.", actions=actions
        )


def require_services(context: Context, info: WorkflowInfo) -> None:
    """What the workflow requires must answer. Raises MissingError SERVICE_DOWN."""
    if not info.requires:
        return
    now = {status.name: status for status in statuses(context, usage=False)}
    down = [
        name
        for name in info.requires
        if name not in now or now[name].health not in GOOD or now[name].state != "running"
    ]
    if down:
        message = f"{info.name} needs {', '.join(down)}, which does not answer."
        actions = (Action("Start it", f"dataflow start {' '.join(down)}"),)
        raise MissingError(message, code="SERVICE_DOWN", actions=actions, retryable=True)
