"""The docker engine's own data: Postgres with the run history, and the volumes that a restore replaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dataflow.config.paths import ProjectPaths
from dataflow.engines import docker_checks, postgres
from dataflow.engines.carrier import HISTORY, Carrier, HistoryCommand, counts_of
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_planner import Planner, compose_for
from dataflow.engines.stack import Stack
from dataflow.models import PortUse

DATA_VOLUMES = ("objects", "minio", "postgres")
"""Volumes with data: each restore makes a new generation of them."""


class DockerCarrier(Carrier):
    """Speaks with Postgres in its container, and reads and writes the history in one beside it."""

    def __init__(self, daemon: Daemon, planner: Planner, paths: ProjectPaths, stack: Stack) -> None:
        self._daemon = daemon
        self._planner = planner
        self._paths = paths
        self._stack = stack

    def history(self, command: HistoryCommand, file: Path) -> dict[str, Any]:
        """Export, load or digest, in a container of its own."""
        inside = f"/project/.dataflow/{file.relative_to(self._paths.state)}"
        arguments = [*HISTORY, command, *([] if command == "digest" else [inside])]
        ports = {
            name: tuple(PortUse(port, number, number) for port, number in known.items())
            for name, known in self._stack.ports.items()
            if name in self._planner.wanted(self._stack)
        }
        compose = compose_for(self._planner, ports, self._stack)
        return counts_of(compose.run("dagster-migrate", ["python", *arguments]))

    def dump_databases(self, target: Path) -> None:
        """All of Postgres, but for the run history, which has its own way."""
        postgres.dump(self._daemon, self._postgres, target, without=postgres.DATABASE)

    def load_databases(self, source: Path) -> None:
        """Bring them in, in the place of those with the same names."""
        postgres.restore(self._daemon, self._postgres, source)

    def forget_replaced(self) -> None:
        """Remove volumes of other generations."""
        project = self._planner.project
        for volume in self._daemon.volumes(project.name).values():
            if volume.key in DATA_VOLUMES and volume.name != project.volume(volume.key, self._stack):
                self._daemon.remove_volume(volume.name)

    @property
    def _postgres(self) -> str:
        """Its container. Raises MissingError SERVICE_DOWN."""
        facts = {one.service: one for one in self._daemon.project(self._planner.project.name)}.get(postgres.SERVICE)
        if facts is None or not facts.running:
            raise docker_checks.not_running(postgres.SERVICE)
        return facts.id
