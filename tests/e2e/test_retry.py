"""Run a part again: what did not succeed, or chosen assets. On the running Dagster and without it. And schedules."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project

pytestmark = pytest.mark.e2e

CODE = """
from pathlib import Path

import dagster as dg

from dataflow.workflows.registry import register_workflow

HERE = Path({place!r})


def write(name: str) -> None:
    with (HERE / name).open("a") as file:
        file.write("x")


@dg.asset(group_name="raw")
def first() -> int:
    write("first")
    return 41


@dg.asset
def second(first: int) -> int:
    if not (HERE / "mended").exists():
        raise ValueError("not mended")
    write("second")
    return first + 1


@dg.asset
def third(second: int) -> None:
    write(f"third {{second}}")


@register_workflow(name="parts", description="Three steps, of which the second breaks.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[first, second, third])
"""


@pytest.fixture(params=["dagster", "process"])
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Project, Path]]:
    """A project with the workflow, and the folder its steps write to."""
    project: Project = request.getfixturevalue("platform" if request.param == "dagster" else "own")
    place = tmp_path / "written"
    place.mkdir()
    project.write("workflows/parts/dagster_job.py", CODE.format(place=str(place)))
    manifest = project.write("workflows/parts/config.yaml", "version: 1\n")
    yield project, place
    shutil.rmtree(manifest.parent)


def written(place: Path) -> dict[str, int]:
    """How often each step wrote."""
    return {path.name: path.stat().st_size for path in place.iterdir() if path.name != "mended"}


def test_a_retry_from_the_failure_runs_only_what_did_not_succeed(parts: tuple[Project, Path]) -> None:
    project, place = parts
    failed = project.call("workflow", "run", "parts", "--tag", "why=test", "--json")
    assert failed.code == 7
    run_id = failed.data["run"]["id"]
    assert f"dataflow workflow retry {run_id[:8]} --from-failure" in [one["command"] for one in failed.error["actions"]]
    assert written(place) == {"first": 1}

    again = project.call("workflow", "retry", run_id, "--from-failure", "--json")
    assert (again.code, again.error["code"]) == (7, "RUN_FAILED")
    assert written(place) == {"first": 1}

    (place / "mended").touch()
    good = project.call("workflow", "retry", "last", "--from-failure", "--json")
    assert good.code == 0, good.out
    assert [step["name"] for step in good.data["progress"]["steps"]] == ["second", "third"]
    assert written(place) == {"first": 1, "second": 1, "third 42": 1}, "with what the first step made"
    tags = good.data["run"]["tags"]
    assert (tags["why"], tags["dagster/root_run_id"]) == ("test", run_id)

    whole = project.call("workflow", "retry", "last", "--json")
    assert whole.code == 0, whole.out
    assert written(place) == {"first": 2, "second": 2, "third 42": 2}
    assert project.call("workflow", "runs", "parts", "--state", "failure", "--json").data["runs"][-1]["id"] == run_id
    listed = project.call("workflow", "runs", "parts", "--state", "success", "--since", "10m", "--json").data["runs"]
    assert [one["id"] for one in listed] == [whole.data["run"]["id"], good.data["run"]["id"]]


def test_what_cannot_be_retried_is_refused(parts: tuple[Project, Path]) -> None:
    project, place = parts
    (place / "mended").touch()
    ran = project.call("workflow", "run", "parts", "--json")
    assert ran.code == 0
    for words, code in (
        (("retry", "last", "--from-failure"), "NOTHING_FAILED"),
        (("retry", "ffffffff"), "RUN_UNKNOWN"),
        (("runs", "--state", "failed"), "STATE_UNKNOWN"),
        (("runs", "--since", "yesterweek"), "TIME_INVALID"),
    ):
        called = project.call("workflow", *words, "--json")
        assert (called.code, called.error["code"]) == (2, code)
    assert written(place) == {"first": 1, "second": 1, "third 42": 1}
    planned = project.call("workflow", "run", "parts", "--dry-run", "--json").data
    listed = project.call("workflow", "runs", "parts", "--state", "success", "--json").data["runs"]
    took = [seconds(run) for run in listed]
    assert min(took) - 0.1 <= planned["expected"] <= max(took) + 0.1
    assert f"Expect it to take {planned['expected']:.1f} s" in project.call("workflow", "run", "parts", "--dry-run").out


def seconds(run: dict[str, Any]) -> float:
    started, ended = (datetime.fromisoformat(run[name]) for name in ("started", "ended"))
    return (ended - started).total_seconds()


def test_a_step_that_is_no_longer_there_is_told(parts: tuple[Project, Path]) -> None:
    project, place = parts
    assert project.call("workflow", "run", "parts").code == 7
    code = project.root / "workflows" / "parts" / "dagster_job.py"
    code.write_text(code.read_text().replace("second", "other"))
    called = project.call("workflow", "retry", "last", "--from-failure", "--json", timeout=120)
    assert called.code != 0
    assert called.error["code"] in {"RUN_FAILED", "RUN_REFUSED"}
    assert "second" in called.error["message"] + str(called.error["hint"])
    assert written(place) == {"first": 1}


def test_chosen_assets_run_and_no_others(parts: tuple[Project, Path]) -> None:
    project, place = parts
    (place / "mended").touch()
    shown = project.call("workflow", "run", "parts", "--asset", "second+", "--dry-run", "--json")
    assert shown.data["assets"] == ["second", "third"]
    ran = project.call("workflow", "run", "parts", "--asset", "group:raw", "--asset", "second", "--json")
    assert ran.code == 0, ran.out
    assert written(place) == {"first": 1, "second": 1}
    again = project.call("workflow", "retry", "last", "--json")
    assert again.code == 0, again.out
    assert written(place) == {"first": 2, "second": 2}, "a retry has the same assets"
    wrong = project.call("workflow", "run", "parts", "--asset", "secnd", "--json")
    assert (wrong.code, wrong.error["code"]) == (2, "ASSET_UNKNOWN")
    assert "second" in wrong.error["hint"]


def test_a_schedule_is_switched_on_and_off(platform: Project) -> None:
    def schedule() -> dict[str, object]:
        (one,) = platform.call("workflow", "schedule", "list", "nightscout", "--json").data["schedules"]
        return one

    assert (schedule()["on"], schedule()["timezone"]) == (False, "UTC")
    assert "is off: dataflow workflow schedule on nightscout" in platform.call("workflow", "schedule", "next").out
    try:
        assert platform.call("workflow", "schedule", "on", "nightscout").code == 0
        assert schedule()["on"] is True
        assert platform.call("workflow", "schedule", "on", "nightscout").code == 0, "once more is no error"
        called = platform.call("workflow", "schedule", "next", "nightscout", "--limit", "3", "--json")
        times = [datetime.fromisoformat(time) for time in called.data["schedules"][0]["next"]]
        assert len(times) == 3
        assert datetime.now(UTC) < times[0] < times[1] < times[2]
    finally:
        assert platform.call("workflow", "schedule", "off", "nightscout").code == 0
    assert schedule()["on"] is False
    assert platform.call("workflow", "schedule", "off").code == 2
    assert platform.call("workflow", "schedule", "on", "nightscot", "--json").error["code"] == "WORKFLOW_UNKNOWN"


def test_schedules_need_dagster(own: Project) -> None:
    called = own.call("workflow", "schedule", "--json")
    assert (called.code, called.error["code"]) == (5, "SERVICE_DOWN")
    assert "dataflow up" in [action["command"] for action in called.error["actions"]]
