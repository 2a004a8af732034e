"""What all tests share: a project to work in, and the command line as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

ROOT = Path(__file__).parents[1]

# The command line as a user calls it. Where coverage is measured, of the command and not of what it starts: Dagster's
# services take twice the time when they are watched, and have next to nothing of ours in them. Of a command that a
# file calls again and again, the first calls are watched: watching doubles a call's work.
_WATCHED_CALLS = 3
_WATCH = ["-m", "coverage", "run", f"--rcfile={ROOT / 'pyproject.toml'}", f"--data-file={ROOT / '.coverage'}"]
_PLAIN = [sys.executable, "-m", "dataflow"]
COMMAND = [sys.executable, *(_WATCH if Coverage.current() else []), "-m", "dataflow"]
_calls: Counter[tuple[str, ...]] = Counter()


def _command(arguments: tuple[str, ...]) -> list[str]:
    """The command line, watched or not."""
    key = (os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0], *arguments[:2])
    _calls[key] += 1
    return [*(COMMAND if _calls[key] <= _WATCHED_CALLS else _PLAIN), *arguments]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-engine", action="store_true", help="fail where there is no Docker Engine to test on")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_takes_long, reverse=True)  # long files first, so that no worker has one left at the end
    if config.getoption("-m"):
        return
    skip = pytest.mark.skip(reason="benchmarks run with `make bench`")
    for item in items:
        if item.get_closest_marker("bench"):
            item.add_marker(skip)


def _takes_long(item: pytest.Item) -> int:
    places = ("engine/test_platform", "e2e/test_backup", "engine/", "e2e/")
    return next((len(places) - number for number, place in enumerate(places) if f"tests/{place}" in item.nodeid), 0)


@pytest.fixture(scope="session", autouse=True)
def _own_environment() -> None:
    """The developer's own settings must not reach a test."""
    for name in list(os.environ):
        ours = name.startswith(("DATAFLOW_", "DAGSTER_", "NIGHTSCOUT_", "COVERAGE_"))
        if ours or name in {"NO_COLOR", "CI", "COLUMNS"}:
            del os.environ[name]


@dataclass(frozen=True)
class Called:
    """What one call of the command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The envelope: the last line of stdout."""
        return json.loads(self.out.strip().splitlines()[-1])

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


@dataclass(frozen=True)
class Project:
    """A project's folder, and `dataflow` called in it as a user does. `engine`: empty for what the machine has."""

    root: Path
    engine: str = "native"

    def call(self, *arguments: str, timeout: float = 300, stdin: str | None = None, **env: str) -> Called:
        done = subprocess.run(
            _command(arguments),
            cwd=self.root,
            env=self.env(**env),
            capture_output=True,
            text=True,
            timeout=timeout,
            input=stdin,
        )
        assert "Traceback (most recent call last)" not in done.stderr, done.stderr
        return Called(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """The same without waiting, in a process group of its own."""
        return subprocess.Popen(
            _command(arguments),
            cwd=self.root,
            env=self.env(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def env(self, **env: str) -> dict[str, str]:
        """The environment of a call."""
        chosen = {"DATAFLOW_ENGINE": self.engine} if self.engine else {}
        return {**os.environ, **chosen, **env}

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def timed(project: Project, *words: str) -> tuple[float, Called]:
    """How long a call took, in seconds, and what it did."""
    began = time.monotonic()
    called = project.call(*words)
    return time.monotonic() - began, called


WORKFLOW = """
import dagster as dg

from dataflow.workflows.registry import register_workflow


@dg.asset
def {name}_table() -> None:
    {body}


@register_workflow(name="{name}", description="{description}")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[{name}_table])
"""


def add_workflow(project: Project, name: str, body: str = "pass", manifest: str = "version: 1\n") -> Path:
    """A workflow of one asset; returns its folder."""
    project.write(
        f"workflows/{name}/dagster_job.py", WORKFLOW.format(name=name, body=body, description=f"Tests {name}.")
    )
    return project.write(f"workflows/{name}/config.yaml", manifest).parent


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    root = tmp_path / "project"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text('name = "tests"\n')
    return Project(root)
