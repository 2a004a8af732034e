"""What the engine tells of a container, in our words: pure functions of its JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataflow.engines.base import Process
from dataflow.models import Health, ServiceState

_LOOP = 3  # restarts since somebody last started it
_HEALTH: dict[str, Health] = {"healthy": "healthy", "unhealthy": "unhealthy", "starting": "starting"}
_STATES: dict[str, ServiceState] = {
    "created": "stopped",
    "running": "running",
    "paused": "paused",
    "restarting": "restarting",
    "removing": "stopped",
    "dead": "failed",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One health check that the engine made: when it ended, its exit code and its words."""

    ended: datetime | None
    code: int
    output: str


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """One container. `state` is the engine's word; `published` maps ports inside to ports on the host."""

    id: str
    name: str
    service: str
    state: str
    exit_code: int
    out_of_memory: bool
    error: str
    created: datetime | None
    started: datetime | None
    finished: datetime | None
    health: str | None
    probes: tuple[Probe, ...]
    restarts: int
    pid: int | None
    image: str
    image_id: str
    config_hash: str
    published: Mapping[int, int]

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.state in {"running", "paused"}

    @property
    def last_probe(self) -> str:
        """What the last health check said."""
        return " ".join(self.probes[-1].output.split())[:300] if self.probes else ""

    @property
    def healthy_since(self) -> datetime | None:
        """When it was first found healthy, as far back as the engine remembers (five checks)."""
        return next((probe.ended for probe in self.probes if probe.code == 0), None)


def facts_of(data: Mapping[str, Any]) -> ContainerFacts:
    """Facts from the answer of `GET /containers/ID/json`."""
    state, config = data["State"], data["Config"]
    labels = config.get("Labels") or {}
    health = state.get("Health") or {}
    return ContainerFacts(
        id=data["Id"],
        name=data["Name"].lstrip("/"),
        service=labels.get("com.docker.compose.service", ""),
        state=state["Status"],
        exit_code=state.get("ExitCode", 0),
        out_of_memory=bool(state.get("OOMKilled")),
        error=state.get("Error", ""),
        created=_time(data.get("Created")),
        started=_time(state.get("StartedAt")),
        finished=_time(state.get("FinishedAt")),
        health=health.get("Status") if health.get("Status") != "none" else None,
        probes=tuple(_probe(entry) for entry in health.get("Log") or ()),
        restarts=data.get("RestartCount", 0),
        pid=state.get("Pid") or None,
        image=config.get("Image", ""),
        image_id=data.get("Image", ""),
        config_hash=labels.get("com.docker.compose.config-hash", ""),
        published=_published(data),
    )


def killed_for_memory(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of containers whose last end was for memory, from the engine's `oom` and `die` events, oldest first.

    A container that was started again no longer says so itself. The two events of one end come in either order.
    """
    ends: dict[str, int] = {}  # since the last `oom`
    for event in events:
        name = event["Actor"]["ID"]
        ends[name] = 0 if event["Action"] == "oom" else ends.get(name, 1) + 1
    return {name for name, count in ends.items() if count <= 1}


def process_of(facts: ContainerFacts, *, job: bool) -> Process:
    """A container as the process that every engine shows."""
    return Process(
        state=_state(facts, job=job),
        since=facts.started if facts.running else facts.finished or facts.started,
        pid=facts.pid,
        restarts=facts.restarts,
        detail=_detail(facts, job=job),
        health=_HEALTH.get(facts.health or "") if facts.running else None,
        image=facts.image,
    )


def _state(facts: ContainerFacts, *, job: bool) -> ServiceState:
    if facts.state == "exited":
        if job and facts.exit_code == 0:
            return "completed"
        return "stopped" if facts.exit_code in {0, 130, 143} and not job else "failed"
    if facts.state == "restarting" and facts.restarts >= _LOOP:
        return "crash-loop"
    if facts.state == "running" and facts.restarts >= _LOOP and facts.health != "healthy":
        return "crash-loop"
    if facts.state == "running" and (job or facts.health == "starting"):
        return "starting"
    return _STATES.get(facts.state, "unknown")


def _detail(facts: ContainerFacts, *, job: bool) -> str:
    parts: list[str] = []
    if facts.error:
        parts.append(facts.error)
    if facts.out_of_memory:
        parts.append("it ran out of memory and was killed")
    ended = facts.state in {"exited", "restarting", "dead"} or facts.restarts
    if ended and facts.exit_code and not facts.out_of_memory:
        parts.append(f"exit code {facts.exit_code}")
    if facts.restarts:
        parts.append("restarted once" if facts.restarts == 1 else f"restarted {facts.restarts} times")
    failing = facts.health == "unhealthy" or (facts.health == "starting" and facts.probes)
    if facts.state == "running" and failing:
        parts.append(f"its health check says: {facts.last_probe or 'nothing'}")
    if job and facts.state == "running":
        parts.append("still at work")
    return ", ".join(parts)


def _published(data: Mapping[str, Any]) -> dict[int, int]:
    """From what was asked for, which a stopped container has, too."""
    bindings = (data.get("HostConfig") or {}).get("PortBindings") or {}
    found: dict[int, int] = {}
    for inside, outside in bindings.items():
        number = (outside or [{}])[0].get("HostPort")
        if number and number.isdecimal():
            found[int(inside.partition("/")[0])] = int(number)
    return found


def _probe(entry: Mapping[str, Any]) -> Probe:
    return Probe(_time(entry.get("End")), int(entry.get("ExitCode", 0)), str(entry.get("Output", "")))


def _time(text: object) -> datetime | None:
    """RFC 3339 with nanoseconds; the year 1 means never."""
    if not isinstance(text, str) or text.startswith("0001"):
        return None
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", text)
    return datetime.fromisoformat(f"{match[1]}{match[2] or ''}{match[3]}") if match else None
