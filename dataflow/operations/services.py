"""Services as they are now, and waiting until they are as they should be."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from dataflow.config.catalog import require
from dataflow.config.services import ServiceSpec, unknown
from dataflow.engines.base import Observation, Process, Usage
from dataflow.engines.health import Probed, probe_all
from dataflow.errors import Action, NotHealthyError
from dataflow.events import Report, StepChanged
from dataflow.models import ServiceState, ServiceStatus
from dataflow.operations.context import Context

GOOD = {"healthy", "none"}
_ABSENT = Process("stopped")
_UP: set[ServiceState] = {"running", "starting"}
_LOOK = 0.1
_NOTHING = Usage(None)
_FAILED: set[ServiceState] = {"crash-loop", "failed"}


@dataclass(frozen=True, slots=True)
class Waited:
    """How long a service took until it was healthy, in seconds."""

    service: str
    seconds: float


def statuses(
    context: Context, *, observed: Observation | None = None, usage: bool = True, timeout: float = 3.0
) -> tuple[ServiceStatus, ...]:
    """Every service that is wanted or there, with its health; with `usage` also memory and processor.

    An engine that cannot be asked makes all of them unknown. `observed` is what was just seen, else it looks itself.
    """
    engine = context.engine
    with ThreadPoolExecutor(max_workers=1) as pool:
        observed = observed or engine.observe()
        names = list({**dict.fromkeys(engine.wanted), **dict.fromkeys(observed.processes)})
        specs = {name: context.catalog.get(name) or unknown(name) for name in names}
        running = {name for name in specs if observed.processes.get(name, _ABSENT).state in _UP}
        measured = pool.submit(engine.usage, sorted(running)) if usage and running else None
        asked = {
            name: spec for name, spec in specs.items() if name in running and _worth_asking(context, spec, observed)
        }
        probed = probe_all(asked, running, engine.filler(), timeout)
        used = measured.result() if measured else {}
    return tuple(_status(context, spec, observed, probed, used.get(name, _NOTHING)) for name, spec in specs.items())


def require_known(context: Context, name: str) -> None:
    """There is such a service, described or running. Raises UsageError SERVICE_UNKNOWN."""
    if name not in context.catalog and name not in context.engine.observe().processes:
        require(context.catalog, name)


def _worth_asking(context: Context, spec: ServiceSpec, observed: Observation) -> bool:
    """We ask what users use, unless the engine says already that it is not healthy."""
    described = bool(spec.health.url or spec.health.tcp)
    good = observed.processes[spec.name].health in (None, "healthy")
    return described and good and context.engine.reaches(spec)


def _status(
    context: Context, spec: ServiceSpec, observed: Observation, probed: Mapping[str, Probed], used: Usage
) -> ServiceStatus:
    process = observed.processes.get(spec.name, _ABSENT)
    health = probed.get(spec.name) or Probed(process.health or "none")
    state = "unknown" if observed.trouble else process.state
    missing = context.engine.missing(spec.name) if state == "stopped" and not process.running else None
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
        memory=used.memory,
        cpu=used.cpu,
        restarts=process.restarts,
        ports=context.engine.ports().get(spec.name, ()),
        image=process.image,
        detail="; ".join(part for part in details if part),
    )


def is_good(status: ServiceStatus) -> bool:
    """Whether it is as it should be: it runs and is healthy, or it has done its work."""
    return status.state == "completed" or (status.state == "running" and status.health in GOOD)


class Waiting:
    """Waits until services are healthy, and tells of each as it happens.

    `anew`: those that start anew: what they were before does not count. `seen` is the last look at all services.
    """

    def __init__(
        self, context: Context, names: Collection[str], report: Report, *, timeout: float, anew: Collection[str] = ()
    ) -> None:
        self._context = context
        self._report = report
        self._timeout = timeout
        self._anew = set(anew)
        self._left = dict.fromkeys(names)
        self._began = time.monotonic()
        self._since = datetime.now(UTC).replace(microsecond=0)  # supervisord counts whole seconds
        self.done: list[Waited] = []
        self.seen: tuple[ServiceStatus, ...] = ()
        self._told = False

    def give_up(self, names: Collection[str]) -> None:
        """Do not wait for these: they cannot come up, and that was told."""
        for name in names:
            self._left.pop(name, None)

    def look(self) -> None:
        """Tell of the services that have become healthy since the last look."""
        for status in self._now():
            if is_good(status):
                self._tell(status)

    def wait(self) -> tuple[Waited, ...]:
        """Wait for all.

        Raises:
            NotHealthyError: SERVICE_CRASHED, JOB_FAILED or OUT_OF_MEMORY at once where one gives up, NOT_HEALTHY after
                the timeout; with the state, the last probe and the last lines of the log.
        """
        while self._left:
            for status in self._now():
                if is_good(status):
                    self._tell(status)
                else:
                    self._judge(status)
            if self._left:
                if error := self._context.engine.diagnose(list(self._left)):
                    raise error
                time.sleep(_LOOK)
        return tuple(self.done)

    def _now(self) -> list[ServiceStatus]:
        """The services that are waited for, as far as they are the ones that were started."""
        if not self._told:
            self._told = True
            for name in self._left:
                self._report(StepChanged(name, "started", "waiting until it is healthy"))
        self.seen = statuses(self._context, usage=False, timeout=1.0)
        return [status for status in self.seen if status.name in self._left and self._counts(status)]

    def _counts(self, status: ServiceStatus) -> bool:
        return status.name not in self._anew or (status.since is not None and status.since >= self._since)

    def _tell(self, status: ServiceStatus) -> None:
        seconds = time.monotonic() - self._began
        self.done.append(Waited(status.name, round(seconds, 2)))
        words = "done its work" if status.state == "completed" else status.url or "healthy"
        self._report(StepChanged(status.name, "done", words, seconds))
        del self._left[status.name]

    def _judge(self, status: ServiceStatus) -> None:
        late = time.monotonic() - self._began > self._timeout
        if status.state not in _FAILED and not late:
            return
        self._report(StepChanged(status.name, "failed", status.detail))
        if error := self._context.engine.diagnose([status.name]):
            raise error
        if status.state in _FAILED:
            message = f"{status.name} keeps ending: {status.detail}."
            raise _unhealthy(self._context, status, "SERVICE_CRASHED", message)
        message = f"{status.name} was not healthy within {self._timeout:g} seconds: {status.detail or status.state}."
        raise _unhealthy(self._context, status, "NOT_HEALTHY", message)


def _unhealthy(context: Context, status: ServiceStatus, code: str, message: str) -> NotHealthyError:
    lines = context.engine.log_tail(status.name, 5)
    hint = "Its last lines:\n" + "\n".join(lines) if lines else "It wrote nothing to its log."
    actions = (
        Action("See why", f"dataflow why {status.name}"),
        Action("Read its log", f"dataflow logs {status.name} --tail 50"),
    )
    if code == "NOT_HEALTHY":
        actions += (Action("Allow more time", "dataflow up --timeout 300"),)
    return NotHealthyError(message, code=code, hint=hint, actions=actions, retryable=True)
