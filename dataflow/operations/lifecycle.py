"""Start, stop and restart single services."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.engines.native_plan import dependants
from dataflow.errors import Action, MissingError
from dataflow.events import Report
from dataflow.models import ServiceStatus
from dataflow.operations import code
from dataflow.operations.audit import audited
from dataflow.operations.context import CODE_SERVER, Context
from dataflow.operations.services import Waiting, require_known, statuses
from dataflow.operations.up import UpOptions, up
from dataflow.system.files import exclusive


@dataclass(frozen=True, slots=True)
class LifecycleResult:
    """The services that were touched, as they are afterwards."""

    services: tuple[ServiceStatus, ...]


def start(context: Context, names: tuple[str, ...], report: Report, *, timeout: float | None = None) -> LifecycleResult:
    """Start services and what they depend on; all wanted ones where none is named."""
    result = up(context, UpOptions(names, timeout=timeout), report)
    touched = {action.service for action in result.actions}
    return LifecycleResult(tuple(status for status in result.services if status.name in touched))


def stop(context: Context, names: tuple[str, ...], report: Report, *, with_dependants: bool = False) -> LifecycleResult:
    """Stop services; all where none is named. Others go on, even those that depend on them, unless told otherwise."""
    chosen = _chosen(context, names)
    if with_dependants:
        chosen = _with_dependants(context, chosen)
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "stop", " ".join(chosen)):
        context.engine.stop(list(reversed(_ordered(context, chosen))), report)
    return _now(context, chosen)


def restart(
    context: Context,
    names: tuple[str, ...],
    report: Report,
    *,
    with_dependants: bool = False,
    timeout: float | None = None,
) -> LifecycleResult:
    """Restart services; all that run where none is named. A service that does not run is started."""
    chosen = _chosen(context, names)
    if with_dependants:
        chosen = _with_dependants(context, chosen)
    ordered = _ordered(context, chosen)
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "restart", " ".join(ordered)):
        seconds = timeout or context.loaded.settings.up.timeout
        waiting = Waiting(context, ordered, report, timeout=seconds, anew=ordered)
        context.engine.restart(ordered, report)
        if CODE_SERVER in ordered:
            code.remember(context)
        waiting.wait()
    return _now(context, ordered)


def _chosen(context: Context, names: tuple[str, ...]) -> list[str]:
    """The named services, or all that are supervised. Raises UsageError SERVICE_UNKNOWN, MissingError NOT_UP."""
    for name in names:
        require_known(context, name)
    observed = context.engine.observe()
    if observed.trouble:
        raise MissingError(observed.trouble, code="ENGINE_DOWN", retryable=True)
    absent = [name for name in names if name not in observed.processes]
    if not observed.alive or absent:
        what = f"{', '.join(absent)} was not started" if observed.alive else "The platform is not up"
        actions = (Action("Start it", f"dataflow start {' '.join(names)}".strip()),)
        raise MissingError(f"{what}.", code="NOT_UP", actions=actions)
    jobs = {name for name, spec in context.catalog.items() if spec.job}
    return list(names or (name for name in observed.processes if name not in jobs))


def _with_dependants(context: Context, names: list[str]) -> list[str]:
    """These and those that depend on them, as far as they are there."""
    there = context.engine.observe().processes
    found = [name for name in dependants(context.catalog, names) if name in there and not context.catalog[name].job]
    return [*dict.fromkeys([*names, *found])]


def _ordered(context: Context, names: list[str]) -> list[str]:
    """Dependencies first; those that only the user's own files know come last."""
    return [
        *(name for name in context.catalog if name in names),
        *(name for name in names if name not in context.catalog),
    ]


def _now(context: Context, names: list[str]) -> LifecycleResult:
    return LifecycleResult(tuple(status for status in statuses(context) if status.name in names))
