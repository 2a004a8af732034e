"""What an engine is: the narrow interface that operations use, whatever runs the services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from dataflow.events import Report
from dataflow.models import EngineName, PortUse, ServiceState

Verb = Literal["start", "restart", "keep", "stop", "skip"]


@dataclass(frozen=True, slots=True)
class Process:
    """What an engine sees of one service, before its health is asked."""

    state: ServiceState
    since: datetime | None = None
    pid: int | None = None
    restarts: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """All services of an engine at one moment. `leftovers` are processes of ours that nothing supervises."""

    alive: bool
    processes: Mapping[str, Process] = field(default_factory=dict[str, Process])
    leftovers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """What will happen to one service, and because of what."""

    service: str
    verb: Verb
    cause: str


@dataclass(frozen=True, slots=True)
class PortMove:
    """A port that was taken: who holds it, and which one is used instead."""

    service: str
    port: str
    wanted: int
    number: int
    holder: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that `up` would do, as data."""

    engine: EngineName
    actions: tuple[PlannedAction, ...]
    ports: Mapping[str, tuple[PortUse, ...]]
    moved: tuple[PortMove, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether carrying it out changes anything."""
        return any(action.verb in {"start", "restart", "stop"} for action in self.actions)

    def services(self, *verbs: Verb) -> list[str]:
        """The names of the services that get one of these verbs, dependencies first."""
        return [action.service for action in self.actions if action.verb in verbs]


class Engine(ABC):
    """Runs services. Every method is safe to call when nothing runs."""

    name: EngineName

    @abstractmethod
    def observe(self) -> Observation:
        """What runs now."""

    @abstractmethod
    def plan(self, observed: Observation, only: Sequence[str] = ()) -> Plan:
        """What bringing up the wanted services (or `only` these and what they depend on) would do."""

    @abstractmethod
    def reserve(self, observed: Observation, only: Sequence[str] = ()) -> Plan:
        """The same, and nobody else gets its ports until it is applied."""

    @abstractmethod
    def apply(self, plan: Plan, report: Report) -> None:
        """Carry out a plan; returns when everything is started, not when it is healthy."""

    @abstractmethod
    def stop(self, names: Sequence[str], report: Report) -> None:
        """Stop these services and keep the others."""

    @abstractmethod
    def restart(self, names: Sequence[str], report: Report) -> None:
        """Stop and start these services."""

    @abstractmethod
    def shut_down(self, report: Report) -> int:
        """Stop everything and leave nothing behind. Returns how many processes ended."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The environment in which the project's code runs on this engine's machine."""

    @abstractmethod
    def log_tail(self, service: str, lines: int) -> list[str]:
        """The last lines that the service wrote."""

    @abstractmethod
    def log_file(self, service: str) -> Path:
        """The file that holds the service's log; it may not exist."""

    @abstractmethod
    def missing(self, service: str) -> str | None:
        """Why this machine cannot run the service (its program is not here), or nothing."""
