"""What is examined: the project and the machine, each question that several checks have asked once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import Loaded
from dataflow.engines import choice, stack
from dataflow.engines.base import Engine, Observation
from dataflow.engines.daemon import Daemon, Endpoint
from dataflow.errors import Action, DataflowError, MissingError
from dataflow.models import EngineChoice, Finding
from dataflow.operations.configuration import check_settings
from dataflow.operations.context import Context
from dataflow.system.files import is_held

PATIENCE = 1.5
"""Seconds until an engine that does not answer is said to be down."""
AnswerT = TypeVar("AnswerT")


class Shared(Generic[AnswerT]):
    """An answer that several threads want: asked by whoever comes first. A refusal is an answer, too."""

    def __init__(self, ask: Callable[[], AnswerT]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: list[AnswerT] = []
        self._refusal: DataflowError | OSError | None = None

    def __call__(self) -> AnswerT:
        """The answer, or the error that came instead of it."""
        with self._lock:
            if not self._answers and self._refusal is None:
                try:
                    self._answers.append(self._ask())
                except (DataflowError, OSError) as error:
                    self._refusal = error
        if self._refusal is not None:
            raise self._refusal
        return self._answers[0]


@dataclass(frozen=True, slots=True)
class DockerSeen:
    """What a Docker Engine says of itself. `skew`: by how many seconds its clock is ahead of ours."""

    endpoint: Endpoint
    version: dict[str, Any]
    info: dict[str, Any]
    images: dict[str, str]
    skew: float | None


class Subject:
    """The project, where there is one, and the machine. Safe to ask from several threads.

    `locked`: the lock of the project's platform is ours.
    """

    def __init__(self, context: Context | None, *, locked: bool = False) -> None:
        self._context = context
        self._locked = locked
        self.docker = Shared(_ask_docker)
        self.compose = Shared(_ask_compose)
        self.choice = Shared(self._choose)
        self.chosen = Shared(lambda: Context(self.paths, {"engine": self.choice().name}))
        self._engine = Shared(lambda: self.chosen().engine)
        self.observed: Shared[Observation] = Shared(self._observe)
        self.findings: Shared[list[Finding]] = Shared(lambda: check_settings(self.project))

    @property
    def project(self) -> Context:
        """The project. Raises MissingError NO_PROJECT."""
        if self._context is None:
            actions = (Action("Make one here", "dataflow init ."),)
            raise MissingError("There is no project here.", code="NO_PROJECT", actions=actions)
        return self._context

    @property
    def paths(self) -> ProjectPaths:
        """The project's folders. Raises MissingError NO_PROJECT."""
        return self.project.paths

    @property
    def root(self) -> Path:
        """The project's folder, or where a project would be made."""
        return self._context.paths.root if self._context else Path.cwd()

    @property
    def has_project(self) -> bool:
        """Whether there is one."""
        return self._context is not None

    @property
    def loaded(self) -> Loaded:
        """The settings in force. Raises what is wrong with them."""
        return self.project.loaded

    @cached_property
    def stack(self) -> stack.Stack:
        """What is remembered of the last start."""
        return stack.load(self.paths.stack)

    @property
    def engine(self) -> Engine:
        """The engine in use. Raises what is wrong with the settings."""
        return self._engine()

    @property
    def uses_docker(self) -> bool:
        """Whether the checks of Docker count: the project is on it, or there is no project yet and a `docker` here."""
        if self._context is None:
            return shutil.which("docker") is not None
        return self.choice().name == "docker"

    @property
    def busy(self) -> bool:
        """Whether another command works on the platform just now: what looks left over may be in use."""
        return not self._locked and is_held(self.paths.run / "lock")

    def lacks(self) -> str | None:
        """What Docker lacks here, in the words of `dataflow engine show`."""
        if shutil.which("docker") is None:
            return "there is no `docker` command"
        try:
            self.docker()
        except DataflowError:
            return "no Docker Engine answers"
        try:
            self.compose()
        except DataflowError as error:
            return error.message.rstrip(".")
        return None

    def _observe(self) -> Observation:
        return self.engine.observe()

    def _choose(self) -> EngineChoice:
        return choice.choose(self.loaded, self.stack.engine, self.lacks)


def _ask_docker() -> DockerSeen:
    daemon = Daemon(PATIENCE)
    version = daemon.version()
    before = datetime.now(UTC)
    info = daemon.info()
    middle = before + (datetime.now(UTC) - before) / 2
    there = str(info.get("SystemTime", ""))
    skew = (datetime.fromisoformat(there) - middle).total_seconds() if there else None
    return DockerSeen(daemon.endpoint, version, info, daemon.images(), skew)


def _ask_compose() -> str:
    from dataflow.engines.compose import require_version

    return require_version()
