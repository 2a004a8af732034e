"""The real native platform: one for tests that leave it as they found it, and helpers for those that break it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dataflow.config.marks import MARKER
from dataflow.config.paths import ProjectPaths
from tests.conftest import Project

pytestmark = pytest.mark.e2e


def mine(project: Project) -> dict[int, list[str]]:
    """Every living process of this project's platform, with its command line."""
    wanted = ProjectPaths(project.root).stack_id
    found: dict[int, list[str]] = {}
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARKER) == wanted and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def nothing_left(project: Project) -> bool:
    """No process, no socket, no pid file."""
    run = project.root / ".dataflow" / "run"
    left = [path.name for path in run.glob("*") if path.suffix in {".sock", ".pid"}]
    assert mine(project) == {}
    assert left == []
    return True


def eventually(check: Callable[[], bool], timeout: float, what: str) -> None:
    """Poll until `check` holds."""
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the example, up, and run once. Tests that use it leave it up."""
    root = tmp_path_factory.mktemp("e2e") / "platform"
    project = Project(root.parent)
    assert project.call("init", "platform").code == 0
    project = Project(root)
    try:
        called = project.call("up", "--timeout", "180", timeout=400)
        assert called.code == 0, called.err
        ran = project.call("workflow", "run", "nightscout", timeout=400)
        assert ran.code == 0, ran.err
        yield project
    finally:
        project.call("down")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Project]:
    """An empty project to break; whatever is left of it is ended, by pid, in the end."""
    root = tmp_path / "own"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text('name = "own"\n')
    project = Project(root)
    yield project
    project.call("down")
    for pid in mine(project):
        os.kill(pid, signal.SIGKILL)


def wait_for(process: subprocess.Popen[str], text: str, timeout: float = 60) -> None:
    """Read stderr until it holds `text`."""
    assert process.stderr
    deadline = time.monotonic() + timeout
    seen = ""
    while text not in seen:
        assert time.monotonic() < deadline, seen
        seen += process.stderr.readline()
