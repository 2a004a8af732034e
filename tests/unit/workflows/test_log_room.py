"""Old logs go, and so do the oldest where there are too many; what is written to now stays."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.system.files import hold
from dataflow.workflows.log_room import prune


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    made = ProjectPaths(tmp_path)
    made.run_logs.mkdir(parents=True)
    made.workers.mkdir(parents=True)
    return made


def log(folder: Path, name: str, *, days: float, kilobytes: int = 1) -> Path:
    path = folder / name
    path.write_bytes(b"x" * kilobytes * 1000)
    written = time.time() - days * 86400
    os.utime(path, (written, written))
    return path


def left(paths: ProjectPaths) -> set[str]:
    return {path.name for path in paths.logs.rglob("*.*")}


def test_what_is_older_than_allowed_goes_but_for_what_is_open(paths: ProjectPaths) -> None:
    for name in ("api.jsonl", "api.jsonl.1", "worker.log", "worker.log.1", "supervisor.log"):
        log(paths.logs, name, days=20)
    log(paths.logs, "api.jsonl.2", days=1)
    log(paths.run_logs, "old.jsonl", days=20)
    log(paths.run_logs, "new.jsonl", days=13)
    removed = prune(paths, keep_days=14, max_mb=100)
    assert {path.name for path in removed} == {"api.jsonl.1", "worker.log.1", "old.jsonl"}
    assert left(paths) == {"api.jsonl", "api.jsonl.2", "worker.log", "supervisor.log", "new.jsonl"}


def test_together_they_stay_below_the_limit_and_the_oldest_go_first(paths: ProjectPaths) -> None:
    log(paths.logs, "api.jsonl", days=0, kilobytes=300)
    log(paths.logs, "api.jsonl.1", days=3, kilobytes=300)
    for number in range(5):
        log(paths.run_logs, f"{number}.jsonl", days=number, kilobytes=300)
    prune(paths, keep_days=14, max_mb=1)
    assert left(paths) == {"api.jsonl", "0.jsonl", "1.jsonl"}
    assert sum(path.stat().st_size for path in paths.logs.rglob("*.*")) <= 1_000_000


def test_the_log_of_a_run_that_goes_on_stays_however_long_it_is_silent(paths: ProjectPaths) -> None:
    log(paths.run_logs, "living.jsonl", days=20)
    log(paths.run_logs, "dead.jsonl", days=20)
    record = {"run_id": "living", "workflow": "w", "pid": 1, "interrupted": False}
    (paths.workers / "living.json").write_text(json.dumps(record))
    with hold(paths.workers / "living.lock"):
        prune(paths, keep_days=14, max_mb=100)
        assert left(paths) == {"living.jsonl"}
    prune(paths, keep_days=14, max_mb=100)
    assert left(paths) == set()


def test_where_there_are_no_logs_nothing_happens(tmp_path: Path) -> None:
    assert prune(ProjectPaths(tmp_path), keep_days=1, max_mb=10) == ()
