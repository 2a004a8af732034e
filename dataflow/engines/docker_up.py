"""Bringing containers up: fetch and build images, let Compose create and start, and keep the time of each step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dataflow.engines import docker_failures
from dataflow.engines.base import ImageAction, StartUp
from dataflow.engines.compose import Compose, step_of
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_failures import Seen
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.model import Model
from dataflow.errors import BackendError, DataflowError, OperationFailedError
from dataflow.events import Progressed, Report, StepChanged
from dataflow.system.process import Streaming
from dataflow.system.waiting import wait_until

_BEAT = 0.5  # seconds between two looks at the containers while Compose waits for one
_STEP = re.compile(r"^#\d+ \[(?P<stage>\S+ +)?(?P<step>\d+/\d+)\] (?P<what>.*)")
_STEPS = {"Creating": "create", "Recreate": "create", "Starting": "start"}
_ENDS = {"Created": "create", "Recreated": "create", "Started": "start"}


@dataclass
class Clock:
    """How long each step of each service took, in seconds since the beginning."""

    began: float = field(default_factory=time.monotonic)
    wall: datetime = field(default_factory=lambda: datetime.now(UTC))
    services: dict[str, StartUp] = field(default_factory=dict[str, StartUp])
    _open: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def begin(self, service: str, step: str) -> None:
        """A step of a service began."""
        self._open.setdefault((service, step), time.monotonic())

    def end(self, service: str, step: str) -> float:
        """It ended; how long it took."""
        seconds = round(time.monotonic() - self._open.pop((service, step), time.monotonic()), 2)
        self.note(service, **{step: seconds})
        return seconds

    def note(self, service: str, **values: float | str | None) -> None:
        """Remember figures of a service."""
        self.services[service] = replace(self.services.get(service, StartUp(service)), **values)  # type: ignore[arg-type]


def pull(
    daemon: Daemon, actions: Sequence[ImageAction], users: Mapping[str, list[str]], clock: Clock, report: Report
) -> dict[str, str]:
    """Fetch images; those that cannot be had come back by name with the reason. `users`: services by image."""
    refused: dict[str, str] = {}
    for action in actions:
        began = time.monotonic()
        report(StepChanged(action.image, "started", "pulling"))
        try:
            _pull_one(daemon, action.image, report)
        except BackendError as error:
            refused[action.image] = error.message
            report(StepChanged(action.image, "failed", error.message))
            continue
        seconds = time.monotonic() - began
        report(StepChanged(action.image, "done", "pulled", seconds))
        for service in users.get(action.image, ()):
            clock.note(service, pull=round(seconds, 2))
    return refused


def build(
    builder: AbstractContextManager[Streaming], image: str, users: Sequence[str], clock: Clock, report: Report
) -> None:
    """Follow the builder of an image, whose lines are BuildKit's plain progress.

    Raises:
        OperationFailedError: BUILD_FAILED with the builder's last lines, DISK_FULL.
    """
    began = time.monotonic()
    report(StepChanged(image, "started", "building"))
    lines: list[str] = []
    with builder as program:
        for line in program.lines(beat=60):
            if line is None:
                continue
            lines.append(line)
            if found := _STEP.match(line):
                done, _, total = found["step"].partition("/")
                report(
                    Progressed(
                        image, int(done), int(total), f"{(found['stage'] or '').strip()} {found['what'][:60]}".strip()
                    )
                )
        code = program.wait()
    if code:
        report(StepChanged(image, "failed", "building"))
        raise docker_failures.refused("\n".join(lines[-40:])) or _build_failed(image, lines)
    seconds = time.monotonic() - began
    report(StepChanged(image, "done", "built", seconds))
    for user in users:
        clock.note(user, build=round(seconds, 2))


def up(
    compose: Compose,
    names: Sequence[str],
    look: Callable[[], Seen],
    clock: Clock,
    report: Report,
    *,
    timeout: float,
) -> None:
    """Let Compose create and start services in the order of what they wait for.

    While it waits, the containers are looked at: one that has failed for good ends the waiting at once.

    Raises:
        DataflowError: what the engine refused, or the first service that failed (SERVICE_CRASHED, JOB_FAILED,
            OUT_OF_MEMORY, NOT_HEALTHY); containers and logs stay for whoever looks into it.
    """
    words: list[str] = []
    looked = time.monotonic()
    with compose.up(names) as program:
        for line in program.lines(beat=_BEAT):
            if line:
                words += _told(line, compose, clock, report)
            if time.monotonic() - looked >= _BEAT:
                looked = time.monotonic()
                _judge(names, look(), clock, timeout)
        code = program.wait()
    if code:
        raise _failure(words, names, look)


def _failure(words: Sequence[str], names: Sequence[str], look: Callable[[], Seen]) -> DataflowError:
    """Why Compose gave up."""
    text = "\n".join(words[-20:])
    blamed = docker_failures.blamed(text)

    def judged() -> tuple[DataflowError | None, bool]:
        seen = replace(look(), blamed=blamed)
        between = any(facts.name in blamed and facts.running for facts in seen.containers.values())
        return docker_failures.broken(names, seen), between

    if refused := docker_failures.refused(text):
        return refused
    # While a container runs again, its last exit code is not known.
    _, (error, _) = wait_until(judged, lambda found: not found[1], timeout=3 if blamed else 0)
    return error or docker_failures.unknown(words)


def finish(
    clock: Clock, containers: Mapping[str, ContainerFacts], model: Model, names: Sequence[str]
) -> tuple[StartUp, ...]:
    """The start-up profile: when each service was ready by the engine's own times, and what it had waited for."""
    ready = {name: _ready(containers[name]) for name in names if name in containers}
    since = {name: (time_ - clock.wall).total_seconds() for name, time_ in ready.items() if time_}
    for name in names:
        facts = containers.get(name)
        if facts is None or name not in since:
            continue
        waited = {other: since[other] for other in model[name].depends if other in since}
        healthy = (ready[name] - facts.started).total_seconds() if facts.started and ready[name] else None  # type: ignore[operator]
        clock.note(
            name,
            healthy=round(healthy, 2) if healthy is not None else None,
            ready=round(since[name], 2) if since[name] >= 0 else None,
            after=max(waited, key=waited.__getitem__) if waited and max(waited.values()) > 0 else None,
        )
    return tuple(clock.services[name] for name in names if name in clock.services)


def _ready(facts: ContainerFacts) -> datetime | None:
    if facts.state == "exited":
        return facts.finished
    return facts.healthy_since if facts.health else facts.started


def _judge(names: Sequence[str], seen: Seen, clock: Clock, timeout: float) -> None:
    if error := docker_failures.broken(names, seen):
        raise error
    if time.monotonic() - clock.began > timeout:
        late = next((name for name in names if not _good(seen.containers.get(name), job=name in seen.jobs)), names[0])
        raise docker_failures.not_in_time(late, seen.containers.get(late), seen, timeout)


def _good(facts: ContainerFacts | None, *, job: bool) -> bool:
    if facts is None:
        return False
    return (job and facts.state == "exited" and not facts.exit_code) or (
        facts.running and facts.health in {None, "healthy"}
    )


def _told(line: str, compose: Compose, clock: Clock, report: Report) -> list[str]:
    """Report a line of Compose's progress; the lines that are an error's words come back."""
    step = step_of(line)
    if step is None:
        return [line]
    kind, _, name = step.id.partition(" ")
    if step.error:
        return [f"{step.id} {step.text}".strip()]
    if kind != "Container":
        return []
    service = compose.service_of(name)
    if step.status in _STEPS:
        clock.begin(service, _STEPS[step.status])
        report(StepChanged(service, "started", step.status.lower()))
    elif step.status in _ENDS:
        clock.end(service, _ENDS[step.status])
    return []


def _pull_one(daemon: Daemon, image: str, report: Report) -> None:
    layers: dict[str, tuple[int, int]] = {}
    for line in daemon.pull(image):
        progress = line.get("progressDetail") or {}
        if line.get("status") == "Downloading" and progress.get("total"):
            layers[str(line.get("id"))] = (int(progress["current"]), int(progress["total"]))
            done, total = (sum(part) >> 20 for part in zip(*layers.values(), strict=True))
            report(Progressed(image, done, total, "MB"))


def _build_failed(image: str, lines: Sequence[str]) -> OperationFailedError:
    told = [line for line in lines if "ERROR" in line or "error" in line] or list(lines)
    message = f"The image {image} could not be built."
    return OperationFailedError(message, code="BUILD_FAILED", hint="\n".join(told[-6:]), retryable=True)
