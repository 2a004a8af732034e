"""What is checked before containers are made, so that nothing fails half-way that could be known before."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dataflow.config.paths import ProjectPaths
from dataflow.engines import compose
from dataflow.engines.daemon import PROJECT_LABEL, Daemon, Endpoint
from dataflow.engines.docker_failures import name_taken
from dataflow.engines.model import Model
from dataflow.errors import Action, MissingError, OperationFailedError
from dataflow.events import Noted, Report
from dataflow.system.files import write_text

OLDEST_API = (1, 44)
"""Docker 25: the first that checks a starting container more often than a running one."""
LITTLE = 500 << 20
SCARCE = 3 << 30
"""Bytes free: below the first nothing starts, below the second it is told."""


def require_usable(daemon: Daemon) -> None:
    """The engine is new enough, runs Linux containers, and has Compose.

    Raises:
        MissingError: ENGINE_DOWN, ENGINE_TOO_OLD, COMPOSE_MISSING, COMPOSE_TOO_OLD.
    """
    require_new_enough(daemon.version(), daemon.endpoint)
    compose.require_version()


def require_new_enough(version: Mapping[str, Any], endpoint: Endpoint) -> None:
    """What the engine says of itself will do. Raises MissingError ENGINE_TOO_OLD."""
    api = tuple(int(part) for part in str(version.get("ApiVersion", "0.0")).split("."))
    if api < OLDEST_API or version.get("Os") != "linux":
        message = f"The Docker Engine {version.get('Version')} ({version.get('Os')}) at {endpoint} does not do."
        hint = "Docker 25 or newer with Linux containers is needed."
        raise MissingError(message, code="ENGINE_TOO_OLD", hint=hint)


def require_local(daemon: Daemon, paths: ProjectPaths) -> None:
    """The engine's machine has this project's very files. Raises MissingError ENGINE_REMOTE."""
    probe = paths.run / "here"
    write_text(probe, "The Docker Engine is asked whether it sees this file.\n")
    try:
        if daemon.sees(probe):
            return
    finally:
        probe.unlink(missing_ok=True)
    message = (
        f"The Docker Engine at {daemon.endpoint} runs on another machine, or in one, that does not have {paths.root}."
    )
    hint = "Containers mount the project's folder and publish ports on their machine's loopback: work there."
    actions = [Action("Use the engine of this machine", "DOCKER_CONTEXT=default dataflow up")]
    if daemon.endpoint.host.startswith("ssh://"):
        host = daemon.endpoint.host.removeprefix("ssh://")
        actions.insert(0, Action("Work there", f"ssh {host}"))
    actions.append(Action("Or do without Docker", "dataflow up --engine native"))
    raise MissingError(message, code="ENGINE_REMOTE", hint=hint, actions=tuple(actions))


def require_space(daemon: Daemon, paths: ProjectPaths, report: Report) -> None:
    """There is room for images and data. Raises OperationFailedError DISK_FULL below half a gigabyte."""
    places = {str(paths.root): paths.root, "the Docker Engine": Path(str(daemon.info().get("DockerRootDir", "")))}
    for what, place in places.items():
        if not place.is_dir():
            continue  # the engine keeps its files in a virtual machine
        free = shutil.disk_usage(place).free
        if free < LITTLE:
            message = f"Only {free >> 20} MB are free where {what} keeps its data ({place})."
            actions = (
                Action("See what Docker keeps", "docker system df"),
                Action("Remove what nothing uses", "docker system prune"),
            )
            raise OperationFailedError(message, code="DISK_FULL", actions=actions, retryable=True)
        if free < SCARCE:
            report(Noted(f"Only {free >> 20} MB are free where {what} keeps its data ({place}).", warning=True))


def require_free_names(containers: Iterable[Mapping[str, Any]], project: str, names: Sequence[str]) -> None:
    """No container of somebody else's has the name of one of ours. Raises MissingError NAME_TAKEN."""
    ours = {f"{project}-{name}-1" for name in names}
    for container in containers:
        if _project_of(container) != project:
            for name in _names_of(container):
                if name in ours:
                    raise name_taken(name)


def require_not_needed(absent: Mapping[str, str], model: Model, names: Sequence[str]) -> None:
    """What cannot be had is nothing that another service waits for. Raises MissingError IMAGE_MISSING."""
    for name in names:
        for other in model[name].depends:
            if other in absent and name not in absent:
                message = f"{name} needs {other}, and {absent[other]}."
                actions = (
                    Action("Try again", "dataflow up --pull"),
                    Action("Or do without Docker", "dataflow up --engine native"),
                )
                raise MissingError(message, code="IMAGE_MISSING", actions=actions, retryable=True)


def ports_of_others(containers: Iterable[Mapping[str, Any]], project: str) -> dict[int, str]:
    """Ports that other containers publish, each with the words for its holder."""
    found: dict[int, str] = {}
    for container in containers:
        owner = _project_of(container)
        if owner == project:
            continue
        holder = f"the container {' '.join(_names_of(container))}" + (
            f" of the Compose project {owner}" if owner else ""
        )
        for port in container.get("Ports") or ():
            if port.get("PublicPort"):
                found[int(port["PublicPort"])] = holder
    return found


def running_projects(containers: Iterable[Mapping[str, Any]]) -> set[str]:
    """The Compose projects of which a container runs."""
    return {_project_of(one) or "" for one in containers if one.get("State") == "running"} - {""}


def not_running(service: str) -> MissingError:
    """The error for a service whose container is needed and does not run."""
    actions = (Action("Start it", f"dataflow start {service}"),)
    return MissingError(f"{service} does not run.", code="SERVICE_DOWN", actions=actions, retryable=True)


def _project_of(container: Mapping[str, Any]) -> str | None:
    return (container.get("Labels") or {}).get(PROJECT_LABEL)


def _names_of(container: Mapping[str, Any]) -> list[str]:
    return [str(name).lstrip("/") for name in container.get("Names") or ()]
