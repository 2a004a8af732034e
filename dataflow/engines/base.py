"""What an engine is: the narrow interface that operations use, whatever runs the services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from dataflow.config.catalog import Catalog
from dataflow.config.services import ServiceSpec
from dataflow.engines.carrier import Carrier
from dataflow.engines.health import Fill
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.engines.upgrader import Upgrader
from dataflow.errors import DataflowError
from dataflow.events import Report
from dataflow.models import EngineName, Health, PortUse, ServiceState
from dataflow.system.log_text import Stored

Ports = Mapping[str, tuple[PortUse, ...]]
Verb = Literal["create", "recreate", "start", "restart", "keep", "stop", "skip"]
CHANGING: frozenset[Verb] = frozenset({"create", "recreate", "start", "restart"})
"""Verbs after which a service runs that did not, or runs anew."""


@dataclass(frozen=True, slots=True)
class Process:
    """What an engine sees of one service. `health` is None where the engine measures none."""

    state: ServiceState
    since: datetime | None = None
    pid: int | None = None
    restarts: int = 0
    detail: str = ""
    health: Health | None = None
    image: str | None = None

    @property
    def running(self) -> bool:
        """Whether it lives now."""
        return self.pid is not None


@dataclass(frozen=True, slots=True)
class Observation:
    """All services of an engine at one moment.

    `leftovers` are processes of ours that nothing supervises. `trouble`: why the engine could not be asked.
    """

    alive: bool
    processes: Mapping[str, Process] = field(default_factory=dict[str, Process])
    leftovers: tuple[int, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a service uses: bytes of memory, percent of one processor; None where nobody knows."""

    memory: int | None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """What an engine knows of a service beside its state, for whoever asks why. Empty where it knows nothing.

    `probe`: what its last health check said. `error`: why the engine could not start it, in its words.
    `misfit`: what of its volume does not fit the settings. `volume`: the volume's name.
    """

    exit_code: int | None = None
    out_of_memory: bool = False
    probe: str = ""
    error: str = ""
    misfit: Literal["password", "major"] | None = None
    volume: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """What will happen to one service, and because of what."""

    service: str
    verb: Verb
    cause: str


@dataclass(frozen=True, slots=True)
class ImageAction:
    """What will happen to an image before services start."""

    image: str
    verb: Literal["pull", "build"]
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
    images: tuple[ImageAction, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether carrying it out changes anything."""
        return bool(self.images) or any(action.verb not in {"keep", "skip"} for action in self.actions)

    @property
    def changing(self) -> list[str]:
        """The services that start or start anew, dependencies first."""
        return self.services(*CHANGING)

    def services(self, *verbs: Verb) -> list[str]:
        """The names of the services that get one of these verbs, dependencies first."""
        return [action.service for action in self.actions if action.verb in verbs]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """`only`: these services and what they depend on. `profiles`: beside those of the settings, until `down`.

    `build`, `pull`: also where the image is there. `volume`: what to do with a volume that does not fit the settings;
    None is to refuse. `timeout`: seconds until all must be healthy.
    """

    only: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    build: bool = False
    pull: bool = False
    volume: Literal["alter", "migrate", "recreate"] | None = None
    timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class StartUp:
    """How one service came up: seconds for each step, and when it was ready, counted from the beginning.

    A step that did not happen, or that this engine does not have, is None. `after`: the service it waited for last.
    """

    service: str
    pull: float | None = None
    build: float | None = None
    create: float | None = None
    start: float | None = None
    healthy: float | None = None
    ready: float | None = None
    after: str | None = None


class Engine(ABC):
    """Runs services. Every method is safe to call when nothing runs."""

    name: EngineName

    @property
    @abstractmethod
    def wanted(self) -> Catalog:
        """The services that the settings select for this engine."""

    @abstractmethod
    def observe(self) -> Observation:
        """What runs now. Never raises because the engine is down: it says so in `trouble`."""

    @abstractmethod
    def plan(self, observed: Observation, options: PlanOptions) -> Plan:
        """What bringing up the wanted services would do."""

    @abstractmethod
    def assign_ports(self, observed: Observation) -> tuple[Ports, tuple[PortMove, ...]]:
        """The ports that the wanted services would get now, and which of them would have to move.

        Raises:
            MissingError: PORT_TAKEN, ENGINE_DOWN.
        """

    @abstractmethod
    def reserve(self, observed: Observation, options: PlanOptions, report: Report) -> Plan:
        """The same, and nobody else gets its ports until it is applied."""

    @abstractmethod
    def apply(self, plan: Plan, options: PlanOptions, report: Report, beat: Callable[[], None]) -> list[str]:
        """Carry out a plan; returns when everything is started, not when it is healthy.

        `beat` is called now and then where it takes long. Returns the services that had to be left out.
        """

    @abstractmethod
    def finish(self, plan: Plan) -> tuple[StartUp, ...]:
        """End what `apply` began, once it was waited for. Gives how services came up, as far as the engine knows."""

    @abstractmethod
    def stop(self, names: Sequence[str], report: Report) -> None:
        """Stop these services and keep the others."""

    @abstractmethod
    def restart(self, names: Sequence[str], report: Report) -> None:
        """Stop and start these services."""

    @abstractmethod
    def shut_down(self, report: Report, *, volumes: bool = False) -> int:
        """Stop everything and leave nothing behind; with `volumes` also no data of the engine's own.

        Returns how many processes or containers ended.
        """

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The environment in which the project's code runs on this machine."""

    @abstractmethod
    def ports(self) -> dict[str, tuple[PortUse, ...]]:
        """The ports on which services are reached, as far as they are known."""

    @abstractmethod
    def filler(self) -> Fill:
        """Fills `{{…}}` in texts of descriptions."""

    @abstractmethod
    def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What these services use now."""

    @abstractmethod
    def reaches(self, spec: ServiceSpec) -> bool:
        """Whether this machine can ask the service how it is."""

    @abstractmethod
    def diagnose(self, names: Sequence[str]) -> DataflowError | None:
        """Why these services will not come up by themselves, as far as the engine itself knows."""

    @abstractmethod
    def examine(self) -> dict[str, Examined]:
        """What there is to know of each service that is there. Raises MissingError ENGINE_DOWN."""

    @property
    @abstractmethod
    def upgrader(self) -> Upgrader:
        """Knows of versions."""

    @property
    @abstractmethod
    def carrier(self) -> Carrier:
        """Gets the engine's own data out and in."""

    @abstractmethod
    def log_tail(self, service: str, lines: int) -> list[str]:
        """The last lines that the service wrote."""

    @abstractmethod
    def log_read(self, service: str, scan: LogScan) -> Iterator[Stored]:
        """The events of a service's log, in the order asked for."""

    @abstractmethod
    def log_mark(self) -> LogMark:
        """A moment between lines: `log_read` ends there, and `log_follow` begins."""

    @abstractmethod
    def log_follow(self, services: Sequence[str], mark: LogMark) -> Iterator[Stored | None]:
        """New lines as they are written, for ever, over restarts; None when nothing came for a moment."""

    @abstractmethod
    def missing(self, service: str) -> str | None:
        """Why the service cannot run here (its program or image is not there), or nothing."""

    @abstractmethod
    def code_command(self, command: Sequence[str], service: str | None) -> tuple[str, ...]:
        """The command that runs `command` where the project's code runs, or in `service`."""
