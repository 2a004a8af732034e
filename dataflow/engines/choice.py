"""Which engine runs a project's services: what the user says, else where its data is, else Docker if it answers."""

from __future__ import annotations

from collections.abc import Callable

from dataflow.config.catalog import Catalog
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import Loaded
from dataflow.engines.base import Engine
from dataflow.models import EngineChoice, EngineName
from dataflow.system.process import find_program


def choose(loaded: Loaded, used: EngineName | None, lacks: Callable[[], str | None] | None = None) -> EngineChoice:
    """The engine, and why. `used` is the one that this project's data is with.

    `lacks` says what Docker lacks here, for who has looked already.
    """
    asked = loaded.settings.engine
    if asked != "auto":
        return EngineChoice(asked, f"asked for by {loaded.origin('engine')}")
    if used:
        return EngineChoice(used, "auto: this project's data is with it; `dataflow engine switch` carries it over")
    reason = (lacks or docker_lacks)()
    if reason:
        return EngineChoice("native", f"auto: {reason}")
    return EngineChoice("docker", "auto: a Docker Engine answers")


def make(name: EngineName, paths: ProjectPaths, loaded: Loaded, catalog: Catalog) -> Engine:
    """The engine called `name`."""
    if name == "docker":
        from dataflow.engines.docker import DockerEngine

        return DockerEngine(paths, loaded, catalog)
    from dataflow.engines.native import NativeEngine

    return NativeEngine(paths, loaded, catalog)


def docker_lacks() -> str | None:
    """What is missing for the docker engine, or nothing."""
    if not find_program("docker"):
        return "there is no `docker` command"
    from dataflow.engines.compose import require_version
    from dataflow.engines.daemon import Daemon
    from dataflow.errors import MissingError

    try:
        if not Daemon().answers():
            return "no Docker Engine answers"
        require_version()
    except MissingError as error:
        return error.message.rstrip(".")
    return None
