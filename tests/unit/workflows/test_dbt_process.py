"""dbt in our own process: what it tells, that it lets go of what it holds, and that it can be ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataflow.workflows.dbt_process import DbtThread
from tests.unit.workflows.test_dbt import make, write

WRITE = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create or replace table mine as select 1')"
ENDLESS = "select count(*) as many from range(1000000000) a, range(1000000000) b where hash(a.range, b.range) = 1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make(tmp_path, monkeypatch)


def build(folder: Path) -> DbtThread:
    target = folder.parent / "out"
    places = ("--project-dir", folder, "--profiles-dir", folder, "--target-path", target, "--log-path", target)
    return DbtThread(["--log-level", "none", "build", *map(str, places)])


def test_it_tells_what_the_program_would_print_and_lets_go_of_folder_and_warehouse(folder: Path) -> None:
    here = Path.cwd()
    dbt = build(folder)
    with dbt.stdout as lines:
        told = [json.loads(line) for line in lines]
    assert dbt.wait() == 0
    assert "debug" not in {event["info"]["level"] for event in told}
    assert {event["data"]["node_info"]["node_name"] for event in told if event["info"]["name"] == "LogModelResult"} == {
        "orders",
        "totals",
    }
    assert Path.cwd() == here
    other = [sys.executable, "-c", WRITE, str(folder.parents[1] / "warehouse.duckdb")]
    assert subprocess.run(other, capture_output=True, text=True).stderr == ""


def test_a_failed_test_is_1_and_what_dbt_cannot_do_is_2(folder: Path) -> None:
    write(folder / "models/orders.sql", "select unnest([1, 1]) as id")
    dbt = build(folder)
    assert any("Got 1 result, configured to fail if != 0" in line.decode() for line in dbt.stdout)
    assert dbt.wait() == 1
    write(folder / "models/totals.sql", "select * from {{ ref('nowhere') }}")
    dbt = build(folder)
    assert any("nowhere" in line.decode() for line in dbt.stdout)
    assert dbt.wait() == 2


def test_a_signal_stops_the_query_it_waits_for(folder: Path) -> None:
    write(folder / "models/totals.sql", ENDLESS)
    dbt = build(folder)
    for line in dbt.stdout:
        if "START sql table model main.totals" in json.loads(line)["info"]["msg"]:
            break
    with pytest.raises(TimeoutError):
        dbt.wait(timeout=0.5)
    began = time.monotonic()
    dbt.send_signal(signal.SIGINT)
    assert dbt.wait(timeout=20) != 0
    assert time.monotonic() - began < 5
    other = [sys.executable, "-c", WRITE, str(folder.parents[1] / "warehouse.duckdb")]
    assert subprocess.run(other, capture_output=True, text=True).stderr == ""
