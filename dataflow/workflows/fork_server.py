"""A process that has imported what every run needs, and forks: a run then starts in tens of milliseconds.

Importing Dagster takes seconds and is the same for each run. Only installed packages are imported beforehand;
the toolkit and the project's own code are read by each run anew, so an edited workflow needs no restart. Forking is
safe because the process has one thread and has opened nothing; so DuckDB, which starts threads when it is imported, is
not among the packages. It ends with the process that started it, and after `_IDLE` seconds without a run, because it
holds some 150 MB.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from dataflow.config.marks import WORKER
from dataflow.system.process import end, spawn

SUPPORTED = sys.platform == "linux"  # elsewhere a fork without exec is not safe, or there is none
_IDLE = 900.0
_PATIENCE = 60.0
_REQUEST_BYTES = 1_000_000
_PRELOADED = (
    "dagster._core.definitions.reconstruct",
    "dagster._core.execution.api",
    "dagster._core.storage.dagster_run",
    "dagster_dbt",
    "httpx",
    "loguru",
    "structlog",
    "yaml",
)


class ForkServer:
    """The other end: starts the server where there is none, and asks it for processes. Safe to use from threads."""

    def __init__(self, cwd: Path, log: Path) -> None:
        self._cwd = cwd
        self._log = log
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pid: int | None = None

    def fork(self, module: str, arguments: Sequence[str], env: Mapping[str, str], files: Sequence[int]) -> int | None:
        """Start `python -m MODULE ARGUMENTS` as a fork, in a session of its own; `files[0]` is where it prints.

        Returns its pid; None where no server can be had, and then the caller starts it as any program.
        """
        request = json.dumps({"module": module, "arguments": [*arguments], "env": dict(env)}).encode()
        with self._lock:
            for _ in range(2):  # the second time with a new server: the first may have ended for want of work
                with contextlib.suppress(OSError, ValueError):
                    channel = self._socket or self._start()
                    socket.send_fds(channel, [request], files)
                    return int(channel.recv(100))
                self.close()
        return None

    def _start(self) -> socket.socket:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_PATIENCE)
        with theirs:
            command = [sys.executable, "-m", "dataflow.workflows.fork_server", str(theirs.fileno())]
            env = {**os.environ, WORKER: "fork-server"}  # so that it is not taken for a service that was left behind
            self._pid = spawn(command, env=env, cwd=self._cwd, log=self._log, files=(theirs.fileno(),))
        return self._socket

    def close(self) -> None:
        """End the server; what it forked goes on."""
        if self._socket:
            self._socket.close()
        if self._pid:
            end([self._pid], grace=0)
        self._socket = self._pid = None


def serve(channel: socket.socket) -> tuple[str, list[str]] | None:
    """Fork for each request. Returns in the child what to run, and None in the server when nobody asks any more."""
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a run's process: its record tells
    channel.settimeout(_IDLE)
    with contextlib.suppress(TimeoutError, ConnectionError):
        while True:
            request, files, _, _ = socket.recv_fds(channel, _REQUEST_BYTES, 8)
            if not request:
                return None
            pid = os.fork()
            if not pid:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                channel.close()
                return _become(json.loads(request), files)
            for file in files:
                os.close(file)
            channel.send(str(pid).encode())
    return None


def _become(wanted: dict[str, object], files: list[int]) -> tuple[str, list[str]]:
    """In the child: be as a program that was just started."""
    os.setsid()
    os.dup2(files[0], 1)
    os.dup2(files[0], 2)
    os.close(files[0])
    os.environ.clear()
    os.environ.update(wanted["env"])  # pyright: ignore[reportArgumentType, reportCallIssue] - as `fork` sent it
    return str(wanted["module"]), list(wanted["arguments"])  # pyright: ignore[reportArgumentType]


def _preload() -> None:
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):  # a run that needs it will say so
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # forks share these pages for as long as nobody counts references in them


def main() -> None:
    """Serve; in a child, go on as the module that was asked for."""
    import runpy

    _preload()
    asked = serve(socket.socket(fileno=int(sys.argv[1])))
    if asked:
        module, sys.argv[1:] = asked
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
