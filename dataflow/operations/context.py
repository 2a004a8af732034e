"""The one composition root: a project, its settings, its engine and the clients, each made when first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.config.environment import warehouse_path
from dataflow.config.paths import ProjectPaths, find_project
from dataflow.config.services import ServiceSpec, load_catalog
from dataflow.config.settings import Loaded, load
from dataflow.engines.native import NativeEngine
from dataflow.errors import Action, MissingError
from dataflow.models import EngineChoice

if TYPE_CHECKING:
    from dataflow.clients.dagster import DagsterClient
    from dataflow.clients.dagster_files import DagsterFiles
    from dataflow.clients.runs import RunHistory
    from dataflow.shared.minio import ObjectStore
    from dataflow.workflows.catalogue import Catalogue

WEBSERVER = "dagster-webserver"
OBJECT_STORE = "object-store"
CODE_SERVER = "dagster-code"


class Context:
    """What every operation gets. `flags` are dotted settings that the user typed."""

    def __init__(self, paths: ProjectPaths, flags: Mapping[str, Any] | None = None) -> None:
        self.paths = paths
        self._flags = dict(flags or {})

    @classmethod
    def at(cls, folder: Path | None, flags: Mapping[str, Any] | None = None) -> Context:
        """The context of the project that `folder` (default: the working directory) lies in."""
        start = folder or Path(os.environ.get("DATAFLOW_PROJECT_DIR") or Path.cwd())
        return cls(find_project(start), flags)

    @cached_property
    def loaded(self) -> Loaded:
        """Settings with their origins."""
        return load(self.paths, flags=self._flags)

    @cached_property
    def catalog(self) -> dict[str, ServiceSpec]:
        """Every service there is, dependencies first."""
        return load_catalog(self.paths)

    @cached_property
    def choice(self) -> EngineChoice:
        """Which engine, and why."""
        origin = self.loaded.origin("engine")
        if self.loaded.settings.engine == "docker":
            message = "This release has no docker engine."
            actions = (Action("Use the native one", "dataflow up --engine native"),)
            raise MissingError(message, code="ENGINE_MISSING", hint=f"Asked for by: {origin}.", actions=actions)
        if self.loaded.settings.engine == "native":
            return EngineChoice("native", f"asked for by {origin}")
        return EngineChoice("native", "auto: the only one in this release")

    @cached_property
    def engine(self) -> NativeEngine:
        """The engine in use."""
        if self.choice.name != "native":
            raise AssertionError(self.choice)
        return NativeEngine(self.paths, self.loaded, self.catalog)

    @property
    def name(self) -> str:
        """The project's name."""
        return self.loaded.settings.name or self.paths.root.name

    @property
    def warehouse(self) -> Path:
        """The warehouse file, absolute."""
        return warehouse_path(self.paths, self.loaded)

    @cached_property
    def workflows(self) -> Catalogue:
        """What workflows there are."""
        from dataflow.workflows.catalogue import catalogue

        return catalogue(self.paths, self.engine.environment())

    @cached_property
    def dagster(self) -> DagsterClient:
        """The running Dagster, which may not answer."""
        from dataflow.clients.dagster import DagsterClient

        return DagsterClient(self.url(WEBSERVER) or "")

    @cached_property
    def dagster_files(self) -> DagsterFiles:
        """The same history, read from its files."""
        from dataflow.clients.dagster_files import DagsterFiles

        self.engine.write_files(CODE_SERVER)
        return DagsterFiles(self.paths.dagster_home, self.engine.worker_environment())

    def prepare_history(self) -> None:
        """Make the run history's files where there are none yet: once, by one process."""
        if not (self.paths.dagster_home / "schedules" / "schedules.db").exists():
            self.dagster_files.prepare()

    def runs(self, service: str) -> bool:
        """Whether this project's own service runs: another project's may listen on the same default port."""
        process = self.engine.observe().processes.get(service)
        return process is not None and process.pid is not None

    def dagster_answers(self) -> bool:
        """Whether this project's Dagster is up and has loaded its workflows."""
        return self.runs(WEBSERVER) and self.dagster.answers()

    def history(self) -> RunHistory:
        """Whoever can tell of runs: the running Dagster, else its files."""
        return self.dagster if self.dagster_answers() else self.dagster_files

    def url(self, service: str) -> str | None:
        """Where people find a service; None where it has no page."""
        spec = self.catalog[service]
        return self.engine.filler()(service, spec.url) if spec.url else None

    def store(self) -> ObjectStore:
        """This project's object store. Raises MissingError SERVICE_DOWN where it does not run."""
        from dataflow.shared.minio import ObjectStore

        if not self.runs(OBJECT_STORE):
            actions = (Action("Start it", f"dataflow start {OBJECT_STORE}"),)
            raise MissingError("The object store does not run.", code="SERVICE_DOWN", actions=actions, retryable=True)

        env = self.engine.environment()
        keys = (env.get("DATAFLOW_S3_ACCESS_KEY", ""), env.get("DATAFLOW_S3_SECRET_KEY", ""))
        return ObjectStore(env["DATAFLOW_S3_ENDPOINT"], *keys, region=env["DATAFLOW_S3_REGION"])
