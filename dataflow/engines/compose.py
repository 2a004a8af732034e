"""Docker Compose, called for what only it does: resolve the files, build, create in order of dependencies, take down.

Always with its machine-readable output; accepted from 2.20 on, which has `include`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflow.errors import Action, ConfigurationError, MissingError, OperationFailedError, Place
from dataflow.system.process import Completed, Streaming, find_program, run, streaming

OLDEST = (2, 20)
OVERRIDES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
)
"""Names under which Compose itself looks for a user's changes."""

_TIMEOUT = 60.0
_LONG = 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """One line of Compose's progress: what it speaks of ("Container x-loki-1"), what happens to it, and more words."""

    id: str
    status: str
    text: str = ""
    error: bool = False


class Compose:
    """One Compose project: `files` resolved from the folder `root`, under the name `project`, with `env`."""

    def __init__(self, root: Path, files: Sequence[Path], project: str, env: Mapping[str, str]) -> None:
        self._root = root
        self._files = tuple(files)
        self._project = project
        # What our own call says must not be overruled by variables for the user's.
        self._env = {key: value for key, value in env.items() if key not in {"COMPOSE_FILE", "COMPOSE_PROFILES"}}

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that Compose sees."""
        return self._env

    def service_of(self, container: str) -> str:
        """The service of a container, by its name."""
        return container.removeprefix(f"{self._project}-").rpartition("-")[0]

    def resolve(self) -> dict[str, Any]:
        """The project with everything filled in, all profiles. Raises ConfigurationError COMPOSE_INVALID."""
        return json.loads(self._call("config", "--format", "json"))

    def hashes(self) -> dict[str, str]:
        """What Compose compares to see whether a service's container is as the files say."""
        lines = self._call("config", "--hash", "*").splitlines()
        return dict(line.split(" ", 1) for line in lines if " " in line)

    @contextmanager
    def up(self, names: Sequence[str], *, recreate: bool = False) -> Generator[Streaming]:
        """Create and start services and what they depend on, in order."""
        how = ["--force-recreate"] if recreate else []
        with self._stream(
            "--progress", "json", "up", "--detach", "--no-build", "--pull", "never", *how, *names
        ) as program:
            yield program

    def run(self, service: str, command: Sequence[str]) -> Completed:
        """Run a command in a new container of a service, beside what runs, and remove it."""
        call = [*self._command(), "--progress", "quiet", "run", "--rm", "--no-deps", "-T", service, *command]
        return run(call, env=self._env, cwd=self._root, timeout=_LONG)

    @contextmanager
    def build(self, name: str, *, pull: bool = False) -> Generator[Streaming]:
        """Build a service's image; lines are BuildKit's plain progress."""
        with self._stream("--progress", "plain", "build", *(["--pull"] if pull else []), name) as program:
            yield program

    def _call(self, *arguments: str) -> str:
        command = [*self._command(), *arguments]
        done = run(command, env=self._env, cwd=self._root, timeout=_TIMEOUT)
        if done.code:
            require_version()  # a Compose that is not there, or too old, has its own words
            raise invalid(done.stderr, self._files)
        return done.stdout

    @contextmanager
    def _stream(self, *arguments: str) -> Generator[Streaming]:
        head, *rest = self._command()
        with streaming([head, *rest, *arguments], env=self._env, cwd=self._root) as program:
            yield program

    def _command(self) -> list[str]:
        files = [part for file in self._files for part in ("--file", str(file))]
        place = ["--project-directory", str(self._root), "--project-name", self._project]
        return [*program(), *place, *files, "--profile", "*"]


def take_down(project: str, env: Mapping[str, str], *, volumes: bool) -> None:
    """Remove a project's containers and networks by their labels alone: no file is read, so none can be in the way.

    Raises:
        OperationFailedError: COMPOSE_FAILED.
    """
    own = {key: value for key, value in env.items() if not key.startswith("COMPOSE_")}
    command = [*program(), "--project-name", project, "down", "--remove-orphans", *(["--volumes"] if volumes else [])]
    done = run(command, env=own, cwd=Path("/"), timeout=300)
    if done.code:
        raise failed(done.stderr)


def program() -> list[str]:
    """The command that is Compose. Raises MissingError COMPOSE_MISSING."""
    docker = find_program("docker")
    if docker is None:
        raise _missing("The `docker` command is not here; Compose is a part of it.")
    return [docker, "compose"]


def require_version() -> str:
    """The version of Compose. Raises MissingError COMPOSE_MISSING or COMPOSE_TOO_OLD."""
    done = run([*program(), "version", "--short"], timeout=_TIMEOUT)
    found = re.search(r"v?(\d+)\.(\d+)\S*", done.stdout)
    if done.code or not found:
        raise _missing("The `docker` command has no Compose plugin.")
    if (int(found[1]), int(found[2])) < OLDEST:
        message = f"Docker Compose {found[0]} is too old: 2.20 or newer is needed."
        raise MissingError(message, code="COMPOSE_TOO_OLD", hint=_INSTALL)
    return found[0].lstrip("v")


def overrides(root: Path) -> list[Path]:
    """The user's own changes to the services: the first file there is under Compose's names for it."""
    found = (root / name for name in OVERRIDES)
    return [file for file in found if file.is_file()][:1]


def step_of(line: str) -> Step | None:
    """A line of `--progress json`; None for a line that is no step."""
    try:
        data: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    if data.get("error"):
        return Step("", "Error", str(data.get("message", "")), error=True)
    if "id" not in data:
        return None
    error = data.get("status") == "Error"
    return Step(str(data["id"]), str(data.get("status") or data.get("text") or ""), str(data.get("text", "")), error)


def invalid(stderr: str, files: Sequence[Path]) -> ConfigurationError:
    """What Compose says of files that it cannot use, without the noise around it."""
    lines = [line for line in stderr.splitlines() if line.strip() and "level=warning" not in line]
    words = lines[-1] if lines else "no reason given"
    own = [file for file in files if file.name in OVERRIDES]
    place = Place(own[0]) if own else None
    hint = f"Your {own[0].name} is part of it." if own else None
    actions = (Action("See what Compose sees", "docker compose config"),)
    message = f"Docker Compose refuses the configuration: {words}."
    return ConfigurationError(message, code="COMPOSE_INVALID", hint=hint, place=place, actions=actions)


def failed(stderr: str) -> OperationFailedError:
    """Compose failed for a reason that nothing of ours knows."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    return OperationFailedError("Docker Compose failed.", code="COMPOSE_FAILED", hint="\n".join(lines[-5:]))


_INSTALL = (
    "Install the plugin: https://docs.docker.com/compose/install/ or your system's package docker-compose-plugin."
)


def _missing(message: str) -> MissingError:
    actions = (Action("Or do without Docker", "dataflow up --engine native"),)
    return MissingError(message, code="COMPOSE_MISSING", hint=_INSTALL, actions=actions)


def environment() -> dict[str, str]:
    """This process's environment, for calls that need no variables of ours."""
    return dict(os.environ)
