"""Listing runs of a long history while Dagster is down, against Dagster's own API in the same run."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.test_bench_cli import tell, timed
from tests.conftest import Project

pytestmark = pytest.mark.bench
RUNS, BUDGET = 10_000, 0.8  # seconds
PEER = """
import sys
from dagster import DagsterInstance
with DagsterInstance.from_config(sys.argv[1]) as instance:
    print(len(instance.get_run_records(limit=20)))
"""


def fill(home: Path) -> None:
    """10,000 runs in the tables that Dagster made, each with three tags. Their bodies are what it wrote itself."""
    from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

    with DagsterInstance.from_config(str(home)) as instance:
        instance.add_run(DagsterRun(job_name="first", run_id="first", status=DagsterRunStatus.SUCCESS))
    with sqlite3.connect(home / "history" / "runs.db") as connection:
        (body,) = connection.execute("select run_body from runs").fetchone()
        rows = [(f"run-{n}", f"job{n % 20}", "SUCCESS", body, 1e9 + n, 1e9 + n + 9) for n in range(RUNS)]
        columns = "run_id, pipeline_name, status, run_body, start_time, end_time"
        connection.executemany(f"insert into runs ({columns}) values (?, ?, ?, ?, ?, ?)", rows)
        tags = [(f"run-{n}", f"key{m}", "value") for n in range(RUNS) for m in range(3)]
        connection.executemany("insert into run_tags (run_id, key, value) values (?, ?, ?)", tags)


def test_listing_runs_of_a_long_history(project: Project) -> None:
    project.call("workflow", "list")
    home = project.root / ".dataflow" / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").touch()
    fill(home)
    ours = min(timed(lambda: project.call("workflow", "runs")) for _ in range(5))
    peer = [sys.executable, "-c", PEER, str(home)]
    theirs = min(timed(lambda: subprocess.run(peer, check=True, capture_output=True)) for _ in range(3))
    tell(f"workflow runs over {RUNS:,} runs (budget {BUDGET} s)", ours, theirs, ours / theirs, 1.0)
