"""Runs as forks: as separate as programs of their own, and quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow.system.process import is_alive
from dataflow.system.waiting import wait_until
from dataflow.workflows import fork_server
from dataflow.workflows.fork_server import ForkServer

pytestmark = pytest.mark.skipif(not fork_server.SUPPORTED, reason="runs are forks on Linux only")

CHILD = """
import json, os, sys, threading
facts = {"arguments": sys.argv[1:], "environment": dict(os.environ), "leader": os.getsid(0) == os.getpid(),
         "threads": len(os.listdir("/proc/self/task")), "parent": os.getppid(), "pid": os.getpid(),
         "threads_of_server": len(os.listdir(f"/proc/{os.getppid()}/task")),
         "loaded": [name for name in ("dagster", "dagster_dbt", "duckdb", "dataflow.shared") if name in sys.modules]}
print(json.dumps(facts), flush=True)
if "wait" in sys.argv:
    threading.Event().wait()
sys.exit(3)
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkServer]:
    (tmp_path / "child.py").write_text(CHILD)
    made = ForkServer(tmp_path, tmp_path / "server.log")
    yield made
    made.close()


@pytest.fixture
def fork(server: ForkServer, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Fork and wait for what the child says."""

    def ask(*arguments: str, **env: str) -> dict[str, Any]:
        out = tmp_path / f"out{time.monotonic_ns()}"
        with out.open("ab") as file:
            pid = server.fork("child", arguments, env, [file.fileno()])
        assert pid
        assert eventually(lambda: out.read_text().endswith("\n")), (tmp_path / "server.log").read_text()
        return {"pid": pid, **json.loads(out.read_text())}

    return ask


def eventually(holds: Callable[[], bool]) -> bool:
    return wait_until(holds, bool, timeout=20, interval=0.01)[0]


def gone(pid: int) -> bool:
    return eventually(lambda: not is_alive(pid))


def test_a_fork_is_like_a_program_of_its_own(fork: Callable[..., dict[str, Any]]) -> None:
    first = fork("a", "b", ONLY="this")
    assert first["arguments"] == ["a", "b"]
    assert first["environment"] == {"ONLY": "this"}
    assert first["leader"]
    assert gone(first["pid"])


def test_the_server_has_one_thread_and_loaded_what_is_slow_but_nothing_of_ours(
    fork: Callable[..., dict[str, Any]],
) -> None:
    told = fork()
    assert told["threads_of_server"] == told["threads"] == 1
    assert told["loaded"] == ["dagster", "dagster_dbt"]


def test_a_second_fork_is_quick_and_many_at_once_all_come(fork: Callable[..., dict[str, Any]]) -> None:
    server = fork()["parent"]
    began = time.monotonic()
    assert fork()["parent"] == server
    assert time.monotonic() - began < 1
    found: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda n=n: found.append(fork(str(n)))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["arguments"][0] for one in found) == [str(number) for number in range(8)]


def test_a_killed_server_takes_no_run_with_it_and_is_replaced(fork: Callable[..., dict[str, Any]]) -> None:
    running = fork("wait")
    os.kill(running["parent"], signal.SIGKILL)
    assert gone(running["parent"])
    assert is_alive(running["pid"])
    assert fork()["parent"] != running["parent"]
    os.kill(running["pid"], signal.SIGTERM)
    assert gone(running["pid"])


def test_it_ends_with_its_owner(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal; from dataflow.workflows.fork_server import ForkServer;"
        "server = ForkServer(pathlib.Path(), pathlib.Path('server.log')); out = open('out', 'ab');"
        "server.fork('child', ['wait'], {}, [out.fileno()]); os.kill(os.getpid(), signal.SIGKILL)"
    )
    (tmp_path / "child.py").write_text(CHILD)
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path)
    assert ended.returncode == -signal.SIGKILL
    eventually(lambda: (tmp_path / "out").read_text().endswith("\n"))
    told = json.loads((tmp_path / "out").read_text())
    assert is_alive(told["pid"])
    assert gone(told["parent"])
    os.kill(told["pid"], signal.SIGTERM)


def test_where_it_cannot_be_had_the_caller_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with (tmp_path / "out").open("ab") as file:
        assert ForkServer(tmp_path, tmp_path / "server.log").fork("child", [], {}, [file.fileno()]) is None
