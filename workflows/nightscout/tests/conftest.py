"""What the tests stand on: a real object store, a warehouse of one's own, a fake Nightscout site, the real sample."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1]
sys.path.insert(0, str(FOLDER.parents[1]))  # so that `workflows.nightscout` is what it is for Dagster

from dataflow.shared.minio import ObjectStore  # noqa: E402 - after the path
from dataflow.testing.store import object_store_server  # noqa: E402
from workflows.nightscout.tests.fake_nightscout import TOKEN, FakeNightscout, serving  # noqa: E402

ACCESS_KEY, SECRET_KEY = "nightscout-tests", "nightscout-tests-secret"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a SeaweedFS server that lives as long as the session."""
    with object_store_server(tmp_path_factory.mktemp("weed"), ACCESS_KEY, SECRET_KEY) as url:
        yield url


def set_environment(patch: pytest.MonkeyPatch, root: Path, endpoint: str) -> None:
    """Set what the engine sets for workflow code, for a project at `root`."""
    values = {
        "DATAFLOW_PROJECT_DIR": str(root),
        "DATAFLOW_STATE_DIR": str(root / ".dataflow"),
        "DATAFLOW_WAREHOUSE_PATH": str(root / ".dataflow" / "warehouse.duckdb"),
        "DATAFLOW_S3_ENDPOINT": endpoint,
        "DATAFLOW_S3_ACCESS_KEY": ACCESS_KEY,
        "DATAFLOW_S3_SECRET_KEY": SECRET_KEY,
    }
    for name, value in values.items():
        patch.setenv(name, value)


def empty_lake(endpoint: str) -> ObjectStore:
    store = ObjectStore(endpoint, ACCESS_KEY, SECRET_KEY)
    store.ensure_bucket("lake")
    for item in list(store.list("lake")):
        store.remove("lake", item.key)
    return store


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: str) -> ObjectStore:
    """An empty lake, and an environment whose warehouse does not exist yet."""
    set_environment(monkeypatch, tmp_path, endpoint)
    return empty_lake(endpoint)


@pytest.fixture(scope="session")
def sample() -> dict[str, list[dict[str, Any]]]:
    """The shipped sample's documents, without the lines that are no JSON."""
    return {name: list(documents(FOLDER / "sample" / f"{name}.jsonl.gz")) for name in ("entries", "treatments")}


def documents(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        for line in file:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue


@pytest.fixture
def site(sample: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNightscout]:
    """A Nightscout site with five days of the sample, answering on loopback; the token is in the environment."""
    monkeypatch.setenv("NIGHTSCOUT_TOKEN", TOKEN)
    with serving(FakeNightscout(sample["entries"][:1500], sample["treatments"][:60])) as running:
        yield running
