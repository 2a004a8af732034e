"""What the tests stand on: a real object store, a warehouse of one's own, a fake Nightscout site, the real sample."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1]
sys.path.insert(0, str(FOLDER.parents[1]))  # so that `workflows.nightscout` is what it is for Dagster

from dataflow.shared.minio import ObjectStore  # noqa: E402 - after the path
from workflows.nightscout.tests.fake_nightscout import TOKEN, FakeNightscout, serving  # noqa: E402

ACCESS_KEY, SECRET_KEY = "nightscout-tests", "nightscout-tests-secret"
PORTS = [
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "admin.port",
    "admin.port.grpc",
]
# `weed mini` brings everything that SeaweedFS has; an S3 server needs none of these.
OFF = ["webdav", "admin.ui", "s3.iam", "s3.autoCreateBucket", "master.telemetry"]


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a SeaweedFS server that lives as long as the session."""
    folder = tmp_path_factory.mktemp("weed")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    flags = [f"-{name}={port}" for name, port in ports.items()] + [f"-{name}=false" for name in OFF]
    command = [str(Path(sys.executable).with_name("weed")), "mini", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0", *flags]
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | keys, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        wait_for(f"{url}/healthz", folder / "weed.log")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # a polite stop takes half a minute
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(log.read_text(errors="replace")[-3000:])


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
