"""`dataflow status` on a project whose one service is a `sleep`: it is up in a second, and everything else is real."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_frame import HEAVY, imported
from tests.conftest import Project, add_workflow

JOB = """
from datetime import timedelta

import dagster as dg

from dataflow.workflows.registry import register_workflow

DAY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=1))
MORNINGS = dg.FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=timedelta(hours=1))


@dg.asset(freshness_policy=DAY)
def numbers() -> None: ...


@dg.asset(freshness_policy=MORNINGS)
def mornings() -> None: ...


@dg.asset_check(asset=numbers)
def few():
    return dg.AssetCheckResult(passed={few})


@dg.asset_check(asset=numbers)
def odd():
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


@register_workflow(name="daily", description="Tests.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[numbers, mornings], asset_checks=[few, odd])
"""
OFF = "".join(
    f"[services.{name}]\nenabled = false\n"
    for name in ("object-store", "dagster-code", "dagster-daemon", "dagster-webserver")
)
SERVICE = """x-dataflow:
  label: Lone
  group: application
  native: {program: sleep, arguments: ["600"]}
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("status"))
    project.write("dataflow.toml", f'name = "alone"\n{OFF}')
    project.write("compose/services/lone/compose.yaml", SERVICE)
    aged(project.write(".dataflow/logs/lone.jsonl.2", "old\n"))
    assert project.call("up").code == 0
    aged(project.write(".dataflow/logs/runs/1f9b11a0.jsonl", "old\n"))
    run(project, few=True)
    yield project
    project.call("down")


def aged(path: Path) -> None:
    """As if it had been written fifteen days ago: a day more than logs are kept."""
    os.utime(path, (time.time() - 15 * 86400,) * 2)


def run(project: Project, *, few: bool) -> None:
    project.write("workflows/daily/dagster_job.py", JOB.replace("{few}", str(few)))
    project.write("workflows/daily/config.yaml", "version: 1\n")
    assert project.call("workflow", "run", "daily").code == (0 if few else 8)


def history(project: Project) -> Path:
    return project.root / ".dataflow" / "dagster" / "history"


def test_nothing_is_wrong_and_everything_is_told(alone: Project) -> None:
    called = alone.call("status", "--exit-code", "--json")
    data = called.data
    assert (called.code, data["state"], data["worst"]) == (0, "up", "nothing"), data
    assert [(one["name"], one["last_run"]["state"]) for one in data["workflows"]] == [("daily", "success")]
    assert (data["assets"]["known"], data["assets"]["judged"], data["assets"]["stale"]) == (2, 2, [])
    assert [(one["name"], one["severity"]) for one in data["checks"]["failing"]] == [("odd", "warning")]
    assert data["disk"]["total"] > data["disk"]["free"] > 0
    assert data["backup"] == {"newest": None, "created": None, "number": 0, "trouble": ""}


def test_up_and_runs_remove_logs_that_are_too_old(alone: Project) -> None:
    logs = alone.root / ".dataflow" / "logs"
    assert not (logs / "lone.jsonl.2").exists(), "removed by `up`"
    assert not (logs / "runs" / "1f9b11a0.jsonl").exists(), "removed by the run after it"
    assert len(list((logs / "runs").glob("*.jsonl"))) == 1


def test_it_fits_eighty_columns_and_says_it_in_words(alone: Project) -> None:
    out = alone.call("status", COLUMNS="80").out
    assert max(map(len, out.splitlines())) <= 80
    told = "\n".join(line.rstrip() for line in out.splitlines())
    assert "assets     2 assets, none of 2 stale" in told
    assert "checks     1 of 2 checks failing\n           numbers:odd (warns)" in told
    assert "backup     none" in told


def test_what_the_workflow_declares_is_known_of_it(alone: Project) -> None:
    assert alone.call("workflow", "show", "daily", "--json").data["workflow"]["freshness"] == {
        "mornings": 25 * 3600.0,
        "numbers": 24 * 3600.0,
    }


def test_it_imports_nothing_heavy_for_it(alone: Project) -> None:
    # psutil measures the memory of services, and that is all.
    assert imported("status", cwd=alone.root, DATAFLOW_ENGINE="native") & HEAVY <= {"psutil", "rich"}


def test_a_backup_has_an_age(alone: Project) -> None:
    made = alone.call("backup", "create", "--json").data
    data = alone.call("status", "--json").data["backup"]
    assert (data["newest"], data["number"], data["created"]) == (made["id"], 1, made["created"])
    assert "old, 1 in all" in alone.call("status").out


def test_a_stale_asset_is_named_with_its_age_and_what_it_may_have(alone: Project) -> None:
    with sqlite3.connect(history(alone) / "runs" / "index.db") as connection:
        key, text = connection.execute(
            "select asset_key, last_materialization from asset_keys where asset_key like '%numbers%'"
        ).fetchone()
        record = json.loads(text)
        record["event_log_entry"]["timestamp"] -= 3 * 86400
        old = "update asset_keys set last_materialization = ? where asset_key = ?"
        connection.execute(old, (json.dumps(record), key))
    try:
        called = alone.call("status", "--exit-code")
        assert "1 of 2 assets stale\n" in "\n".join(line.rstrip() + "\n" for line in called.out.splitlines())
        assert "numbers: 3 d old, at most 24 h" in called.out
        assert called.code == 8
    finally:
        with sqlite3.connect(history(alone) / "runs" / "index.db") as connection:
            connection.execute(old, (text, key))


def test_a_check_that_fails_is_worse_than_nothing_and_a_failed_run_worse_still(alone: Project) -> None:
    run(alone, few=False)
    called = alone.call("status", "--exit-code", "--json")
    assert (called.code, called.data["worst"]) == (8, "checks")
    assert [one["name"] for one in called.data["checks"]["failing"]] == ["few", "odd"]
    add_workflow(alone, "broken", body="raise ValueError('no')")
    assert alone.call("workflow", "run", "broken").code == 7
    called = alone.call("status", "--exit-code", "--json")
    assert (called.code, called.data["worst"]) == (7, "runs")
    alone.call("stop", "lone")
    called = alone.call("status", "--exit-code", "--json")
    assert (called.code, called.data["worst"], called.data["checks"]["known"]) == (6, "services", 2)
    # What is gone from the code needs nobody any more.
    for path in (alone.root / "workflows" / "broken").iterdir():
        path.unlink() if path.is_file() else None
    run(alone, few=True)
    assert alone.call("start", "lone").code == 0
    assert alone.call("status", "--exit-code").code == 0


@pytest.mark.parametrize(
    ("file", "silent", "rest"),
    [("runs.db", "note", "checks"), ("runs/index.db", "assets", "workflows")],
)
def test_a_part_that_cannot_be_read_says_so_and_the_others_are_there(
    alone: Project, file: str, silent: str, rest: str
) -> None:
    path = history(alone) / file
    kept = path.read_bytes()
    logs = {log: log.read_bytes() for log in path.parent.glob(f"{path.name}-*")}
    try:
        path.write_bytes(b"this is no database, however long it may be" * 100)
        for log in logs:
            log.unlink()
        called = alone.call("status", "--exit-code", "--json")
        trouble = called.data[silent] if silent == "note" else called.data[silent]["trouble"]
        assert (called.code, called.data["worst"]) == (1, "attention")
        assert "cannot be read" in trouble
        assert called.data[rest]["known"] if rest == "checks" else called.data[rest][0]["last_run"]
        assert "cannot be read" in " ".join(alone.call("status", COLUMNS="80").out.split())
    finally:
        path.write_bytes(kept)
        for log, data in logs.items():
            log.write_bytes(data)


def test_it_is_watched_in_place_and_ctrl_c_gives_the_terminal_back(alone: Project) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dataflow", "status", "--watch", "--interval", "0.2"],
        cwd=alone.root, env=alone.env(TERM="xterm", COLUMNS="80", LINES="40"),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    seen = read(ours, lambda text: text.count("native engine") >= 3, 20)
    os.kill(process.pid, signal.SIGINT)
    seen += read(ours, lambda text: "\x1b[?1049l" in text, 10)
    assert process.wait(10) == 130
    os.close(ours)
    assert seen.count("\x1b[?1049h") == 1
    assert "Traceback" not in seen


def test_runs_are_watched_a_line_for_each_look(alone: Project) -> None:
    process = alone.start("workflow", "runs", "daily", "--watch", "--interval", "0.2", "--json")
    assert process.stdout
    looks = [json.loads(process.stdout.readline()) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert process.stderr
    assert "Traceback" not in process.stderr.read()
    assert [{run["workflow"] for run in look["runs"]} <= {"daily"} for look in looks] == [True] * 3


def read(terminal: int, enough: Callable[[str], bool], timeout: float) -> str:
    seen = ""
    deadline = time.monotonic() + timeout
    while not enough(seen):
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                break
    return seen
