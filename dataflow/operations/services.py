"""Services as they are now, and waiting until they are as they should be."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dataflow.config.services import ServiceSpec
from dataflow.engines.base import Observation, Process
from dataflow.engines.health import Probed, probe_all
from dataflow.errors import Action, NotHealthyError
from dataflow.events import Report, StepChanged
from dataflow.models import ServiceState, ServiceStatus
from dataflow.operations.context import Context
from dataflow.system.process import memory_of

GOOD = {"healthy", "none"}
_ABSENT = Process("stopped")
_UP: set[ServiceState] = {"running", "starting"}


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a service took until it was healthy, in seconds."""

    service: str
    seconds: float


def statuses(context: Context, *, memory: bool = True, timeout: float = 3.0) -> tuple[ServiceStatus, ...]:
    """Every service that is wanted or there, with its health."""
    engine = context.engine
    observed = engine.observe()
    names = {*engine.wanted, *observed.processes}
    specs = {name: spec for name, spec in context.catalog.items() if name in names}
    running = {name for name in specs if observed.processes.get(name, _ABSENT).state in _UP}
    probed = probe_all(specs, running, engine.filler(), timeout)
    return tuple(_status(context, spec, observed, probed, memory=memory) for spec in specs.values())


def _status(
    context: Context, spec: ServiceSpec, observed: Observation, probed: Mapping[str, Probed], *, memory: bool
) -> ServiceStatus:
    process = observed.processes.get(spec.name, _ABSENT)
    health = probed.get(spec.name, Probed("none"))
    state = process.state
    missing = context.engine.missing(spec.name) if state == "stopped" else None
    if missing:
        state = "unavailable"
    if state == "starting" and health.health == "healthy":
        state = "running"
    details = [missing or "", process.detail, health.detail]
    if not observed.alive and observed.leftovers:
        details.append("its supervisor is gone: `dataflow up` brings it back")
    return ServiceStatus(
        name=spec.name,
        label=spec.label,
        group=spec.group,
        state=state,
        health="starting" if state == "starting" else health.health,
        since=process.since,
        url=context.url(spec.name),
        pid=process.pid,
        memory=memory_of(process.pid) if memory and process.pid else None,
        restarts=process.restarts,
        ports=context.engine.ports()[spec.name],
        detail="; ".join(part for part in details if part),
    )


def wait_healthy(context: Context, names: Collection[str], report: Report, *, timeout: float) -> tuple[Waited, ...]:
    """Wait until these services are healthy, telling of each as it happens.

    Raises:
        NotHealthyError: SERVICE_CRASHED at once where one gives up, NOT_HEALTHY after `timeout` seconds; with the
            state, the last probe and the last lines of the log.
    """
    began = time.monotonic()
    waiting = dict.fromkeys(names)
    done: list[Waited] = []
    for name in waiting:
        report(StepChanged(name, "started", "waiting until it is healthy"))
    while waiting:
        for status in statuses(context, memory=False, timeout=1.0):
            if status.name not in waiting:
                continue
            if status.state == "running" and status.health in GOOD:
                seconds = time.monotonic() - began
                done.append(Waited(status.name, round(seconds, 2)))
                report(StepChanged(status.name, "done", status.url or "healthy", seconds))
                del waiting[status.name]
            elif status.state in {"crash-loop", "failed"}:
                report(StepChanged(status.name, "failed", status.detail))
                raise _unhealthy(context, status, "SERVICE_CRASHED", f"{status.name} keeps ending: {status.detail}.")
            elif time.monotonic() - began > timeout:
                report(StepChanged(status.name, "failed", status.detail))
                message = f"{status.name} was not healthy within {timeout:g} seconds: {status.detail or status.state}."
                raise _unhealthy(context, status, "NOT_HEALTHY", message)
        if waiting:
            time.sleep(0.1)
    return tuple(done)


def _unhealthy(context: Context, status: ServiceStatus, code: str, message: str) -> NotHealthyError:
    lines = context.engine.log_tail(status.name, 5)
    hint = "Its last lines:\n" + "\n".join(lines) if lines else "It wrote nothing to its log."
    actions = (
        Action("Read its log", f"dataflow logs {status.name} --tail 50"),
        Action("See the others", "dataflow status"),
    )
    if code == "NOT_HEALTHY":
        actions += (Action("Allow more time", "dataflow up --timeout 300"),)
    return NotHealthyError(message, code=code, hint=hint, actions=actions, retryable=True)
