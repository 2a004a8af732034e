"""Ports of all platforms of this user on this machine, so that two that start at once never take the same one.

Looking whether a port is free is not enough: between the look and the service's start another project may look
too, and gRPC servers share a port silently (SO_REUSEPORT). A reservation counts while its platform lives, also for a
service that is stopped or restarts just now.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Generator, Iterable, Mapping
from pathlib import Path
from typing import Any

from dataflow.config.paths import ProjectPaths
from dataflow.engines.supervisor import Client, socket_path
from dataflow.events import ignore
from dataflow.models import PortUse
from dataflow.system.files import exclusive, read_state, write_json
from dataflow.system.process import is_alive

_WAIT = 10.0


def folder() -> Path:
    """Where this user's reservations lie."""
    from platformdirs import user_state_path

    return user_state_path("dataflow")


@contextlib.contextmanager
def locked() -> Generator[None]:
    """Nobody else of this user assigns ports meanwhile."""
    with exclusive(folder() / "ports.lock", what="The list of ports in use", wait=_WAIT):
        yield


def of_others(paths: ProjectPaths, running: Collection[str] = ()) -> dict[int, str]:
    """Ports of other living platforms, each with the folder of its project. `running`: Compose projects that are up."""
    taken: dict[int, str] = {}
    for root, entry in _read().items():
        if root != str(paths.root) and (_lives(root, entry) or entry.get("compose") in running):
            taken |= dict.fromkeys(entry.get("ports", ()), f"the project in {root}")
    return taken


def reserve(paths: ProjectPaths, ports: Mapping[str, Iterable[PortUse]], compose: str | None = None) -> None:
    """Remember this project's ports, and forget platforms that are gone. Call it while `locked`.

    `compose` is the name of the Compose project that uses them; whether it is up only its engine can tell.
    """
    kept = {root: entry for root, entry in _read().items() if root == str(paths.root) or _may_live(root, entry)}
    numbers = {use.number for uses in ports.values() for use in uses}
    own = kept.get(str(paths.root), {})  # forgotten by others while its supervisor was away
    if _lives(str(paths.root), own):
        numbers |= set(own.get("ports", ()))
    kept[str(paths.root)] = {"pid": os.getpid(), "ports": sorted(numbers), "compose": compose}
    write_json(folder() / "ports.json", kept)


def release(paths: ProjectPaths) -> None:
    """This project is down: its ports are anybody's."""
    with locked():
        kept = {root: entry for root, entry in _read().items() if root != str(paths.root)}
        write_json(folder() / "ports.json", kept)


def _read() -> dict[str, Any]:
    return {
        root: entry for root, entry in read_state(folder() / "ports.json", ignore).items() if isinstance(entry, dict)
    }


def _may_live(root: str, entry: Mapping[str, Any]) -> bool:
    return _lives(root, entry) or bool(entry.get("compose") and ProjectPaths(Path(root)).config.exists())


def _lives(root: str, entry: Mapping[str, Any]) -> bool:
    """Its command still starts it, or its supervisor answers."""
    pid = entry.get("pid")
    return (isinstance(pid, int) and is_alive(pid)) or Client(socket_path(ProjectPaths(Path(root)))).alive()
