"""The values every layer shares. Frozen; times are aware UTC datetimes; sizes are bytes, durations seconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from dataflow.errors import Place

EngineName = Literal["native", "docker"]
ServiceState = Literal[
    "running",
    "starting",
    "stopped",
    "paused",
    "restarting",
    "crash-loop",
    "failed",
    "completed",
    "unavailable",
    "unknown",
]
Health = Literal["healthy", "unhealthy", "starting", "unknown", "none"]
RunState = Literal["queued", "starting", "running", "canceling", "success", "failure", "canceled", "unknown"]
Severity = Literal["error", "warning"]

FINISHED: frozenset[RunState] = frozenset({"success", "failure", "canceled"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a user's file: which rule, where, and what to do."""

    rule: str
    message: str
    place: Place
    hint: str | None = None
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class PortUse:
    """A port a service listens on, always on loopback. `wanted` is the configured or default number."""

    name: str
    number: int
    wanted: int


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service as it is now. `cpu` is in percent of one processor."""

    name: str
    label: str
    group: str
    state: ServiceState
    health: Health
    since: datetime | None = None
    url: str | None = None
    pid: int | None = None
    memory: int | None = None
    restarts: int = 0
    ports: tuple[PortUse, ...] = ()
    image: str | None = None
    cpu: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine is in use, and why."""

    name: EngineName
    reason: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that `workflow run --set` may change."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "date"]
    default: str | int | float | bool | None
    description: str = ""


@dataclass(frozen=True, slots=True)
class AssetNode:
    """An asset that a workflow computes, and what a selection may ask of it. `upstream`: what it is computed from."""

    key: str
    upstream: tuple[str, ...] = ()
    group: str = "default"
    kinds: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict[str, str])
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DbtInfo:
    """A workflow's dbt project: its folder, and the `vars` that the workflow gives it, as JSON."""

    folder: Path
    variables: str


@dataclass(frozen=True, slots=True)
class WorkflowInfo:
    """A registered workflow, as far as it is known without running anything.

    `freshness`: seconds after which an asset is stale, for those that have a freshness policy. `together`: assets that
    one step computes or checks, all of them or none. `partitions`: as `workflows.partitions` reads them.
    """

    name: str
    description: str
    folder: Path
    tags: tuple[str, ...] = ()
    owner: str | None = None
    schedule: str | None = None
    requires: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    assets: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    graph: tuple[AssetNode, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()
    freshness: dict[str, float] = field(default_factory=dict[str, float])
    partitions: str | None = None
    dbt: DbtInfo | None = None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of a run."""

    name: str
    state: Literal["running", "success", "failure", "skipped"]
    started: datetime | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow."""

    id: str
    workflow: str
    state: RunState
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs or where it never started."""
        if self.started is None or self.ended is None:
            return None
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log, whatever wrote it. `raw` is it as it was written, in all its lines."""

    timestamp: datetime
    level: str
    message: str
    service: str = ""
    run_id: str | None = None
    step: str | None = None
    context: dict[str, object] = field(default_factory=dict[str, object])
    workflow: str | None = None
    raw: str = ""

    def at(self, time: datetime) -> LogLine:
        """The same at another time."""
        return replace(self, timestamp=time)
