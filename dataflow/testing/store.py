"""A real object store for tests: SeaweedFS, the one that the native engine runs."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dataflow.errors import BackendError
from dataflow.system.http import ask
from dataflow.system.process import end, program_beside, spawn
from dataflow.system.waiting import wait_until

_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip
# `weed mini` brings everything that SeaweedFS has; an S3 server needs none of these.
_OFF = ("webdav", "admin.ui", "s3.iam", "s3.autoCreateBucket", "master.telemetry")
_STARTS = 60.0  # seconds


@contextmanager
def object_store_server(folder: Path, access_key: str, secret_key: str) -> Generator[str]:
    """The address of an empty server that keeps its files in `folder`, for the length of the block.

    Raises:
        MissingError: PROGRAM_MISSING; there is no SeaweedFS here.
        BackendError: STORE_DOWN; it did not come up, with its last words.
    """
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    flags = [f"-{name}={port}" for name, port in ports.items()] + [f"-{name}=false" for name in _OFF]
    command = [program_beside("weed"), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", *flags]
    keys = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    log = folder / "weed.log"
    options = ["-s3.port.iceberg=0", "-s3.port.lance=0"]
    pid = spawn([*command, *options], env={**os.environ, **keys}, cwd=folder, log=log)
    url = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        _wait(url, log)
        yield url
    finally:
        end([pid], grace=0)  # a polite stop takes half a minute
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, log: Path) -> None:
    def healthy() -> bool:
        try:
            return ask(f"{url}/healthz", timeout=1).status == 200
        except (OSError, http.client.HTTPException):
            return False

    if not wait_until(healthy, bool, timeout=_STARTS)[0]:
        words = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise BackendError(f"SeaweedFS did not come up: {words}", code="STORE_DOWN")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
