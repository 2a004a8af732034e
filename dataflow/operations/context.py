"""The one composition root: a project, its settings, its engine and the clients, each made when first needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.config.catalog import Catalog, load_catalog
from dataflow.config.environment import warehouse_path
from dataflow.config.paths import ProjectPaths, find_project
from dataflow.config.settings import Loaded, load
from dataflow.engines import choice, stack
from dataflow.engines.base import Engine
from dataflow.errors import Action, BackendError, MissingError
from dataflow.models import EngineChoice

if TYPE_CHECKING:
    from dataflow.clients.dagster import DagsterClient
    from dataflow.clients.dagster_files import DagsterFiles
    from dataflow.clients.history_files import HistoryFiles
    from dataflow.clients.runs import RunHistory
    from dataflow.engines.native import NativeEngine
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

    @classmethod
    def if_any(cls, folder: Path | None) -> Context | None:
        """The same; None where there is no project."""
        try:
            return cls.at(folder)
        except MissingError:
            return None

    @cached_property
    def loaded(self) -> Loaded:
        """Settings with their origins."""
        return load(self.paths, flags=self._flags)

    @cached_property
    def catalog(self) -> Catalog:
        """Every service there is, dependencies first."""
        return load_catalog(self.paths, self.loaded.settings)

    @cached_property
    def choice(self) -> EngineChoice:
        """Which engine, and why."""
        return choice.choose(self.loaded, stack.load(self.paths.stack).engine)

    @cached_property
    def engine(self) -> Engine:
        """The engine in use."""
        return choice.make(self.choice.name, self.paths, self.loaded, self.catalog)

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
    def history_files(self) -> HistoryFiles:
        """The same history, read from its files. Raises BackendError BACKEND_DOWN where it is not in files."""
        from dataflow.clients.history_files import HistoryFiles

        self._native_engine()
        return HistoryFiles(self.paths.dagster_home, lambda: self.dagster_files.cancel)

    @cached_property
    def dagster_files(self) -> DagsterFiles:
        """What changes those files. Raises BackendError BACKEND_DOWN where the history is not in files."""
        from dataflow.clients.dagster_files import DagsterFiles

        return DagsterFiles(self.paths.dagster_home, self.native.worker_environment())

    @property
    def has_files(self) -> bool:
        """Whether run history can be read, and runs be carried out, while Dagster is down."""
        return self.choice.name == "native"

    @property
    def native(self) -> NativeEngine:
        """The native engine, ready for code that runs without its services.

        Raises:
            BackendError: BACKEND_DOWN; the engine in use is another one.
        """
        engine = self._native_engine()
        engine.write_files(CODE_SERVER)
        return engine

    def _native_engine(self) -> NativeEngine:
        """The engine that keeps run history in files. Raises BackendError BACKEND_DOWN where it is not that one."""
        from dataflow.engines.native import NativeEngine

        if not isinstance(self.engine, NativeEngine):
            actions = (Action("Start the platform", "dataflow up"), Action("See what is wrong", "dataflow status"))
            message = "Dagster does not answer, and under Docker nobody else has the run history."
            raise BackendError(message, code="BACKEND_DOWN", actions=actions, retryable=True)
        return self.engine

    def prepare_history(self) -> None:
        """Make the run history's files where there are none yet: once, by one process. Under Docker a job does it."""
        if self.has_files and not (self.paths.dagster_home / "schedules" / "schedules.db").exists():
            self.dagster_files.prepare()

    def runs(self, service: str) -> bool:
        """Whether this project's own service runs: another project's may listen on the same default port."""
        process = self.engine.observe().processes.get(service)
        return process is not None and process.running

    def dagster_answers(self) -> bool:
        """Whether this project's Dagster is up and has loaded its workflows."""
        return self.runs(WEBSERVER) and self.dagster.answers()

    def history(self) -> RunHistory:
        """Whoever can tell of runs: the running Dagster, else its files."""
        return self.dagster if self.dagster_answers() else self.history_files

    def url(self, service: str) -> str | None:
        """Where people find a service; None where it has no page."""
        spec = self.catalog.get(service)
        return self.engine.filler()(service, spec.url) if spec and spec.url else None

    def store(self) -> ObjectStore:
        """This project's object store. Raises MissingError SERVICE_DOWN where it does not run."""
        from dataflow.shared.minio import ObjectStore

        if not self.runs(OBJECT_STORE):
            actions = (Action("Start it", f"dataflow start {OBJECT_STORE}"),)
            raise MissingError("The object store does not run.", code="SERVICE_DOWN", actions=actions, retryable=True)

        env = self.engine.environment()
        keys = (env.get("DATAFLOW_S3_ACCESS_KEY", ""), env.get("DATAFLOW_S3_SECRET_KEY", ""))
        return ObjectStore(env["DATAFLOW_S3_ENDPOINT"], *keys, region=env["DATAFLOW_S3_REGION"])
