"""Pytest fixtures for the tests of workflows. They are there wherever dataflow is installed; nothing has to be named.

`workbench` runs the workflow that a test file lies in, as the platform does, on a warehouse of the test's own;
`object_store` is an empty store on a real server that lives as long as the session.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import dagster as dg

    from dataflow.shared.minio import ObjectStore

_KEYS = {"DATAFLOW_S3_ACCESS_KEY": "workflow-tests", "DATAFLOW_S3_SECRET_KEY": "workflow-tests-secret"}
_TABLES = """
select table_schema || '.' || table_name from information_schema.tables
where table_schema not in ('information_schema', 'pg_catalog') order by all
"""


@dataclass(frozen=True, slots=True)
class Workbench:
    """One workflow on a warehouse of its own, which is empty at first."""

    name: str
    job: dg.JobDefinition
    warehouse: Path

    def run(self, **parameters: Any) -> dg.ExecuteInProcessResult:
        """Run the whole workflow, with parameters of its config.yaml. What fails is told by the result."""
        given = {"resources": {f"{self.name}_parameters": {"config": parameters}}} if parameters else {}
        quiet = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}
        return self.job.execute_in_process(run_config={**given, **quiet}, raise_on_error=False)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        from dataflow.shared.db import read_connection

        with read_connection(self.warehouse) as reader:
            return reader.connection.execute(sql).fetchall()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that the warehouse holds, by `schema.table`, in an order that only depends on what it is."""
        from dataflow.shared.identifiers import qualified

        return {name: self.query(f"from {qualified(name)} order by all") for (name,) in self.query(_TABLES)}


@pytest.hookimpl(tryfirst=True)
def pytest_collectstart(collector: pytest.Collector) -> None:
    """Make `workflows.<name>` what it is for the platform, before a test file of a workflow is imported."""
    root = _root(collector.path)
    if root and str(root) not in sys.path:
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()


@pytest.fixture(scope="session")
def _store_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from dataflow.testing.store import object_store_server

    with object_store_server(tmp_path_factory.mktemp("objects"), *_KEYS.values()) as endpoint:
        yield endpoint


@pytest.fixture
def object_store(_store_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty store with the bucket `lake`; the environment names it."""
    from dataflow.shared.minio import ObjectStore

    for name, value in {**_KEYS, "DATAFLOW_S3_ENDPOINT": _store_endpoint}.items():
        monkeypatch.setenv(name, value)
    store = ObjectStore.from_environment()
    store.ensure_bucket("lake")
    for item in list(store.list("lake")):
        store.remove("lake", item.key)
    return store


@pytest.fixture(scope="session")
def _state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where parsed dbt projects are kept: parsing takes seconds, and one of them serves all tests."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def workbench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _state: Path
) -> Workbench:
    """The workflow that the test lies in. With an object store where its config.yaml asks for one."""
    from dataflow.workflows.discovery import discover
    from dataflow.workflows.manifest import load_manifest

    folder = request.path.parents[1]
    warehouse = tmp_path / "warehouse.duckdb"
    values = {"PROJECT_DIR": folder.parents[1], "STATE_DIR": _state, "WAREHOUSE_PATH": warehouse}
    for name, value in values.items():
        monkeypatch.setenv(f"DATAFLOW_{name}", str(value))
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    if "object-store" in load_manifest(folder).requires:
        request.getfixturevalue("object_store")
    discovery = discover(folder.parent, [folder.name])
    if discovery.findings:
        pytest.fail("\n".join(f"{one.place}: {one.message}" for one in discovery.findings), pytrace=False)
    (found,) = discovery.workflows
    return Workbench(found.info.name, found.definitions.resolve_job_def(found.info.name), warehouse)


def _root(path: Path) -> Path | None:
    """The project's folder, for a path in the tests of one of its workflows."""
    for folder in path.parents:
        if folder.name == "tests" and (folder.parent / "dagster_job.py").is_file():
            return folder.parents[2]
    return None
