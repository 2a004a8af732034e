"""Real servers for these tests: an S3 store, an HTTP source that misbehaves on demand, a Postgres."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dataflow.shared.minio import ObjectStore

WEED = Path(sys.executable).with_name("weed")
SERVICES = ("master", "volume", "filer", "s3", "admin")
PORT_FLAGS = tuple(f"{name}.port{kind}" for name in SERVICES for kind in ("", ".grpc"))
ACCESS_KEY, SECRET_KEY = "tester-access", "tester-secret-key"


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class Weed:
    """One SeaweedFS server over a folder; it can be killed and started again on the same ports and data."""

    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(PORT_FLAGS, free_ports(10), strict=True)))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['s3.port']}"

    def store(self, secret: str = SECRET_KEY) -> ObjectStore:
        return ObjectStore(self.endpoint, ACCESS_KEY, secret)

    def start(self) -> Weed:
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"]
        flags += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        flags += [f"-{name}={port}" for name, port in self.ports.items()]
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        with (self.folder.parent / "weed.log").open("ab") as log:
            self.process = subprocess.Popen(
                [WEED, "mini", f"-dir={self.folder}", *flags],
                env={**os.environ, **keys},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        return self

    def kill(self) -> None:
        """SIGKILL: as a fault, and because a polite stop takes half a minute."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError((self.folder.parent / "weed.log").read_text()[-3000:])


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weed]:
    server = Weed(tmp_path_factory.mktemp("weed") / "data").start()
    yield server
    server.kill()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def session_store(weed: Weed) -> ObjectStore:
    store = weed.store()
    store.ensure_bucket("raw")
    return store


@pytest.fixture
def store(session_store: ObjectStore) -> ObjectStore:
    """A store with the bucket `raw`."""
    return session_store


class Misbehaving(ThreadingHTTPServer):
    """An HTTP server whose answers a test scripts: each path has a list of replies, the last one repeats."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: dict[str, list[Callable[[BaseHTTPRequestHandler], None]]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def on(self, path: str, *replies: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.replies[path] = list(replies)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Misbehaving)
        server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        replies = server.replies[self.path.split("?")[0]]
        (replies.pop(0) if len(replies) > 1 else replies[0])(self)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def http() -> Iterator[Misbehaving]:
    with Misbehaving() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "state" / "warehouse.duckdb"
