"""kill -9 of each native process in turn: status tells the truth, the service is back, no run is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.workflows import workers
from tests.conftest import Project, add_workflow
from tests.e2e.conftest import eventually, mine

SERVICES = ["object-store", "dagster-code", "dagster-webserver", "dagster-daemon"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A whole platform with a workflow that takes a while."""
    root = tmp_path_factory.mktemp("kills") / "full"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("")
    project = Project(root)
    add_workflow(project, "patient", body="import time\n    time.sleep(6)")
    called = project.call("up", "--timeout", "180", timeout=400)
    assert called.code == 0, called.err
    yield project
    project.call("down")


def look(project: Project, name: str) -> dict[str, object]:
    called = project.call("status", "--json")
    assert called.code == 0, called.out
    return next(service for service in called.data["services"] if service["name"] == name)


def state_of(project: Project, run_id: str) -> str:
    called = project.call("workflow", "status", run_id, "--json")
    assert called.code == 0, called.out
    return called.data["run"]["state"]


@pytest.mark.parametrize("victim", SERVICES)
def test_a_killed_service_is_told_within_three_seconds_and_comes_back_and_its_run_goes_on(
    full: Project, victim: str
) -> None:
    launched = full.call("workflow", "run", "patient", "--detach", "--json")
    assert launched.code == 0, launched.out
    run_id = launched.data["run_id"]
    eventually(lambda: state_of(full, run_id) == "running", 60, "the run began")
    before = look(full, victim)
    pid = before["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()

    def told() -> bool:
        now = look(full, victim)
        return now["pid"] != pid and int(str(now["restarts"])) > int(str(before["restarts"]))

    asked = killed
    while not told():
        assert asked - killed < 3, (
            f"a status that was asked {asked - killed:.1f} s after the kill of {victim} knew nothing"
        )
        asked = time.monotonic()
    eventually(lambda: look(full, victim)["health"] == "healthy", 60, f"{victim} is back")
    assert "SIGKILL" in str(look(full, victim)["detail"])
    eventually(lambda: state_of(full, run_id) == "success", 60, "the run went on to its end")


@pytest.mark.parametrize("word", ["supervisord", "dataflow.engines.keeper"])
def test_a_killed_supervisor_or_keeper_does_not_lose_a_run(full: Project, word: str) -> None:
    run_id = full.call("workflow", "run", "patient", "--detach", "--json").data["run_id"]
    eventually(lambda: state_of(full, run_id) == "running", 60, "the run began")
    for pid, command in mine(full).items():
        is_keeper = "dataflow.engines.keeper" in command
        if is_keeper if "keeper" in word else (not is_keeper and any("supervisord" in part for part in command)):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: full.call("status", "--json").data["state"] == "up", 60, "everything is up")
    eventually(lambda: state_of(full, run_id) == "success", 60, "the run went on to its end")
    assert full.call("up").code == 0  # with a keeper again


def test_a_killed_run_process_is_a_failed_run_within_seconds(full: Project) -> None:
    run_id = full.call("workflow", "run", "patient", "--detach", "--json").data["run_id"]
    eventually(lambda: state_of(full, run_id) == "running", 60, "the run began")
    worker = workers.find(ProjectPaths(full.root), run_id)
    assert worker
    assert worker.pid in mine(full)
    psutil.Process(worker.pid).kill()
    eventually(lambda: state_of(full, run_id) == "failure", 30, "the daemon marked it")
    detail = full.call("workflow", "status", run_id).out
    assert "killed or crashed" in detail


def test_a_run_that_waits_while_the_daemon_is_down_runs_when_it_is_back(full: Project) -> None:
    full.call("stop", "dagster-daemon")
    run_id = full.call("workflow", "run", "patient", "--detach", "--json").data["run_id"]
    time.sleep(2)  # nothing takes it from the queue
    assert state_of(full, run_id) == "queued"
    full.call("start", "dagster-daemon")
    eventually(lambda: state_of(full, run_id) == "success", 60, "the run was taken and done")


@pytest.mark.parametrize("moment", ["starting", "running"])
def test_down_cancels_what_runs_whenever_it_comes(full: Project, moment: str) -> None:
    assert full.call("up").code == 0
    run_id = full.call("workflow", "run", "patient", "--detach", "--json").data["run_id"]
    if moment == "running":
        eventually(lambda: state_of(full, run_id) == "running", 60, "the run began")
    else:
        eventually(lambda: workers.find(ProjectPaths(full.root), run_id) is not None, 60, "its process is there")
    assert full.call("down", "--json").data["cancelled_runs"] == [run_id]
    assert mine(full) == {}
    assert state_of(full, run_id) == "canceled"
