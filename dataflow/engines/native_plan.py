"""What `up` has to do to each service, and why: a pure comparison of wanted and observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataflow.config.services import ServiceSpec
from dataflow.engines.base import Observation, PlannedAction, Verb
from dataflow.engines.launch import Launch


def dependants(catalog: Mapping[str, ServiceSpec], names: Sequence[str]) -> list[str]:
    """These services and everything that depends on them, dependants first."""
    found = set(names)
    for name, spec in catalog.items():  # dependencies first, so one pass reaches all
        if found & set(spec.depends):
            found.add(name)
    return [name for name in reversed(list(catalog)) if name in found]


def plan_actions(
    specs: Mapping[str, ServiceSpec],
    observed: Observation,
    launches: Mapping[str, Launch],
    applied: Mapping[str, Mapping[str, str]],
    changed: Sequence[str],
    missing: Mapping[str, str],
    *,
    partial: bool,
) -> list[PlannedAction]:
    """One action per service, dependencies first. With `partial`, services that are not named are left alone.

    Args:
        specs: The wanted services.
        observed: What runs.
        launches: How each wanted service would be started now.
        applied: The digests of how each was started last.
        changed: Names of variables that changed since; they reach every service.
        missing: Services this machine cannot run, with the reason.
        partial: Whether only some services were named.
    """
    actions: list[PlannedAction] = []
    for name in specs:
        if name in missing:
            actions.append(PlannedAction(name, "skip", missing[name]))
        else:
            verb, cause = _verb(name, observed, launches[name].digests(), applied.get(name, {}), changed)
            actions.append(PlannedAction(name, verb, cause))
    if not partial:
        unwanted = [name for name in observed.processes if name not in specs]
        actions += [PlannedAction(name, "stop", "the settings no longer ask for it") for name in unwanted]
    return actions


def _verb(
    name: str, observed: Observation, now: Mapping[str, str], before: Mapping[str, str], changed: Sequence[str]
) -> tuple[Verb, str]:
    process = observed.processes.get(name)
    if process is None or process.pid is None:
        return "start", f"it is {process.state}" if process else "it does not run"
    if changed:
        return "restart", f"{', '.join(changed[:3])} changed"
    parts = sorted(part for part in now.keys() | before.keys() if now.get(part) != before.get(part))
    return ("restart", f"its {', '.join(parts)} changed") if parts else ("keep", "it runs as it should")
