"""Partitions: one run for one of them, many runs for many, cut off and taken up again. With Dagster and without it."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.e2e.conftest import eventually

pytestmark = pytest.mark.e2e

CODE = """
import os
import time
from pathlib import Path

import dagster as dg

from dataflow.workflows.registry import register_workflow

HERE = Path({place!r})


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-08"))
def day(context: dg.AssetExecutionContext) -> None:
    (HERE / f"now-{{os.getpid()}}").touch()
    most = len(list(HERE.glob("now-*")))
    (HERE / f"most-{{most}}").touch()
    time.sleep(0.5)
    (HERE / f"now-{{os.getpid()}}").unlink()
    if context.partition_key == "2026-01-03" and not (HERE / "mended").exists():
        raise ValueError("not mended")
    with (HERE / context.partition_key).open("a") as file:
        file.write("x")


@register_workflow(name="days", description="A day at a time.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[day])
"""


@pytest.fixture(params=["dagster", "process"])
def days(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Project, Path]]:
    """A project with the workflow, and the folder its step writes to."""
    project: Project = request.getfixturevalue("platform" if request.param == "dagster" else "own")
    place = tmp_path / "written"
    place.mkdir()
    project.write("workflows/days/dagster_job.py", CODE.format(place=str(place)))
    manifest = project.write("workflows/days/config.yaml", "version: 1\n")
    yield project, place
    shutil.rmtree(manifest.parent)


def written(place: Path) -> dict[str, int]:
    """How often each partition was computed."""
    return {path.name: path.stat().st_size for path in place.glob("2026-*")}


def test_a_run_is_for_one_partition_and_says_which_there_are(days: tuple[Project, Path]) -> None:
    project, place = days
    without = project.call("workflow", "run", "days", "--json")
    assert (without.code, without.error["code"]) == (2, "PARTITION_MISSING")
    assert "dataflow workflow run days --partition last" in [one["command"] for one in without.error["actions"]]
    unknown = project.call("workflow", "run", "days", "--partition", "2026-01-77")
    assert (unknown.code, "It has 7: 2026-01-01 to 2026-01-07." in unknown.err) == (2, True)
    assert "Did you mean '2026-01-07'?" in unknown.err
    assert "  for the partition 2026-01-07" in project.call("workflow", "run", "days", "-p", "last", "--dry-run").out
    assert project.call("workflow", "run", "days", "--partition", "2026-01-02").code == 0
    assert written(place) == {"2026-01-02": 1}


def test_a_backfill_runs_all_of_them_and_a_second_one_what_failed(days: tuple[Project, Path]) -> None:
    project, place = days
    shown = project.call("workflow", "backfill", "days", "--partitions", "2026-01-01:2026-01-05", "--dry-run")
    assert shown.out.splitlines()[0] == "Would run days for 5 partitions, 4 at a time."
    assert written(place) == {}
    words = ("--partitions", "2026-01-01:2026-01-05", "--max-parallel", "2")
    failed = project.call("workflow", "backfill", "days", *words)
    assert failed.code == 7
    assert "BACKFILL_FAILED  1 of 5 partitions of days failed: 2026-01-03." in failed.err
    assert "✗ 2026-01-03" in failed.err
    assert "5 of 5" in failed.err
    assert written(place) == {f"2026-01-0{day}": 1 for day in (1, 2, 4, 5)}
    assert {path.name for path in place.glob("most-*")} <= {"most-1", "most-2"}
    (place / "mended").touch()
    resumed = project.call("workflow", "backfill", "--resume", "last")
    assert resumed.code == 0, resumed.err
    assert resumed.out.startswith("days: 5 partitions succeeded, backfill ")
    assert written(place) == {f"2026-01-0{day}": 1 for day in range(1, 6)}
    missing = project.call("workflow", "backfill", "days", "-p", "all", "--missing", "--dry-run", "--json")
    assert missing.data["keys"] == ["2026-01-06", "2026-01-07"]
    newest = project.call("workflow", "backfill", "--list", "--json").data["backfills"][0]
    assert {part["state"] for part in newest["partitions"]} == {"success"}


def test_a_backfill_that_is_killed_half_way_goes_on_where_it_was(days: tuple[Project, Path]) -> None:
    project, place = days
    (place / "mended").touch()
    process = project.start("workflow", "backfill", "days", "--partitions", "all", "--max-parallel", "1")
    eventually(lambda: len(written(place)) >= 2, 120, "two partitions are done")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(written(place)) < 7
    resumed = project.call("workflow", "backfill", "--resume", "last", "--json")
    assert resumed.code == 0, resumed.err
    assert [part["state"] for part in resumed.data["partitions"]] == ["success"] * 7
    assert written(place) == {f"2026-01-0{day}": 1 for day in range(1, 8)}


def test_ctrl_c_starts_no_more_and_says_how_to_go_on(days: tuple[Project, Path]) -> None:
    project, place = days
    (place / "mended").touch()
    process = project.start("workflow", "backfill", "days", "--partitions", "all", "--max-parallel", "1")
    eventually(lambda: len(written(place)) >= 1, 120, "a partition is done")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "No more runs are started; those that were started go on." in told
    eventually(lambda: not list(place.glob("now-*")), 60, "the run that was started has ended")
    time.sleep(2)
    assert len(written(place)) < 7
