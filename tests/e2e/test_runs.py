"""Runs in every kind of weather: Dagster up or down, failing, cancelled, killed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, DagsterRun
from dagster._core.utils import make_new_run_id

from dataflow.clients.dagster import DagsterClient
from dataflow.clients.history_files import HistoryFiles
from dataflow.clients.runs import RunEvent, RunHistory
from dataflow.config.paths import ProjectPaths
from tests.conftest import COMMAND, Project, add_workflow
from tests.e2e.conftest import eventually, wait_for

SLOW = "import time\n    for _ in range(600):\n        time.sleep(0.1)"


def fill(project: Project) -> None:
    add_workflow(project, "good")
    add_workflow(project, "failing", body="raise ValueError('the source is on fire')")
    add_workflow(project, "slow", body=SLOW)
    add_workflow(project, "dying", body="import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)")
    add_workflow(project, "secretive", manifest="version: 1\nsecrets: [{name: MY_TOKEN}]\n")
    add_workflow(project, "needy", manifest="version: 1\nrequires: [object-store]\n")
    add_workflow(project, "typed", manifest="version: 1\nparameters:\n  days: {type: integer, default: 3}\n")
    check = add_workflow(project, "unchecked") / "dagster_job.py"
    text = check.read_text().replace("@register_workflow", CHECK + "\n\n@register_workflow")
    check.write_text(text.replace("assets=[unchecked_table]", "assets=[unchecked_table], asset_checks=[holds]"))


CHECK = """
@dg.asset_check(asset=unchecked_table)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)
"""


@pytest.fixture(scope="module", params=["dagster", "process"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    """A project whose runs go through Dagster, and one without any service."""
    root = tmp_path_factory.mktemp("runs") / request.param
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("")
    project = Project(root)
    fill(project)
    if request.param == "dagster":
        services = ["dagster-webserver", "dagster-daemon"]
        called = project.call("start", *services, timeout=400)
        assert called.code == 0, called.err
    yield project, request.param
    project.call("down")


def test_a_good_run_ends_with_0_and_says_through_what(running: tuple[Project, str]) -> None:
    project, through = running
    called = project.call("workflow", "run", "good", "--json")
    assert called.code == 0, called.out
    assert called.data["through"] == through
    assert called.data["run"]["state"] == "success"
    assert [step["state"] for step in called.data["progress"]["steps"]] == ["success"]
    assert project.call("workflow", "runs", "good", "--json").data["runs"][0]["id"] == called.data["run"]["id"]


def test_a_failing_run_ends_with_7_and_names_step_error_and_log(running: tuple[Project, str]) -> None:
    project, _ = running
    called = project.call("workflow", "run", "failing")
    assert called.code == 7
    for words in ("RUN_FAILED", "failing_table", "the source is on fire", "dataflow workflow logs"):
        assert words in called.err
    envelope = project.call("workflow", "run", "failing", "--json")
    assert envelope.error["code"] == "RUN_FAILED"
    assert envelope.data["run"]["state"] == "failure"
    assert "ValueError" in project.call("workflow", "logs", "last").out


def test_checks_that_do_not_hold_end_with_8(running: tuple[Project, str]) -> None:
    called = running[0].call("workflow", "run", "unchecked", "--json")
    assert (called.code, called.error["code"]) == (8, "CHECKS_FAILED")
    assert "unchecked_table:holds" in called.error["message"]


def test_a_run_whose_process_is_killed_ends_as_failed(running: tuple[Project, str]) -> None:
    project, _ = running
    called = project.call("workflow", "run", "dying", "--json", timeout=400)
    assert called.code == 7, called.out
    assert called.data["run"]["state"] == "failure"
    assert "killed or crashed" in called.error["message"]


def test_a_run_can_be_detached_watched_and_cancelled(running: tuple[Project, str]) -> None:
    project, _ = running
    run_id = project.call("workflow", "run", "slow", "--detach", "--json").data["run_id"]

    def state() -> str:
        return project.call("workflow", "status", run_id, "--json").data["run"]["state"]

    eventually(lambda: state() == "running", 60, "the run began")
    began = time.monotonic()
    cancelled = project.call("workflow", "cancel", run_id[:8], "--json")
    assert cancelled.code == 0, cancelled.out
    assert cancelled.data["run"]["state"] == "canceled"
    assert time.monotonic() - began < 15
    again = project.call("workflow", "cancel", run_id, "--json")
    assert (again.code, again.error["code"]) == (2, "RUN_FINISHED")


@pytest.mark.parametrize("moment", [0.0, 1.0])
def test_a_run_can_be_cancelled_before_it_has_begun(running: tuple[Project, str], moment: float) -> None:
    project, _ = running
    run_id = project.call("workflow", "run", "slow", "--detach", "--json").data["run_id"]
    time.sleep(moment)
    called = project.call("workflow", "cancel", run_id, "--json")
    assert called.code == 0, called.out
    assert called.data["run"]["state"] == "canceled"


def test_interrupting_the_command_cancels_the_run_where_nobody_can_be_asked(running: tuple[Project, str]) -> None:
    project, _ = running
    process = project.start("workflow", "run", "slow", "--verbose")
    wait_for(process, "slow_table")
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 7
    assert project.call("workflow", "runs", "slow", "--json").data["runs"][0]["state"] == "canceled"


@pytest.mark.parametrize(("answer", "state", "code"), [("d", "running", 130), ("c", "canceled", 7)])
def test_interrupting_in_a_terminal_asks_whether_to_detach_or_cancel(
    running: tuple[Project, str], answer: str, state: str, code: int
) -> None:
    project, _ = running
    ours, theirs = pty.openpty()
    command = [*COMMAND, "workflow", "run", "slow", "--verbose"]
    # A session of its own with the terminal as its own, so that ^C reaches it as a key does.
    process = subprocess.Popen(
        command, cwd=project.root, env=project.env(), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    seen = read_until(ours, "slow_table")
    os.write(ours, b"\x03")
    seen += read_until(ours, "ollow on?")
    assert "(d)etach, (c)ancel" in seen
    os.write(ours, f"{answer}\n".encode())
    try:
        while os.read(ours, 4096):
            pass
    except OSError:  # the terminal's other end is gone: the command has ended
        pass
    os.close(ours)
    assert process.wait(60) == code
    run = project.call("workflow", "runs", "slow", "--limit", "1", "--json").data["runs"][0]
    assert run["state"] == state
    project.call("workflow", "cancel", run["id"])


def read_until(terminal: int, text: str, timeout: float = 60) -> str:
    """What the terminal shows, until it shows `text`."""
    seen = ""
    deadline = time.monotonic() + timeout
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


@pytest.mark.parametrize(
    ("arguments", "code", "name", "words"),
    [
        (["secretive"], 4, "SECRET_MISSING", "MY_TOKEN"),
        (["typed", "--set", "days=many"], 2, "PARAMETER_INVALID", "integer"),
        (["typed", "--set", "dayz=1"], 2, "PARAMETER_UNKNOWN", "dayz"),
        (["typed", "--set", "days"], 2, "PARAMETER_INVALID", "name=value"),
        (["good", "--tag", "x"], 2, "TAG_INVALID", "name=value"),
        (["goood"], 2, "WORKFLOW_UNKNOWN", "goood"),
        (["needy"], 5, "SERVICE_DOWN", "object-store"),
    ],
)
def test_what_can_be_refused_is_refused_before_anything_runs(
    running: tuple[Project, str], arguments: list[str], code: int, name: str, words: str
) -> None:
    project, _ = running
    before = project.call("workflow", "runs", "--json").data["runs"]
    called = project.call("workflow", "run", *arguments, "--json")
    assert (called.code, called.error["code"]) == (code, name)
    assert words in called.error["message"]
    assert project.call("workflow", "runs", "--json").data["runs"] == before


def test_a_secret_in_the_environment_is_enough(running: tuple[Project, str]) -> None:
    assert running[0].call("workflow", "run", "secretive", "--dry-run", MY_TOKEN="x").code == 0


def test_an_unknown_run_is_refused_with_a_cure(running: tuple[Project, str]) -> None:
    for run_id in ("ffffffff", "00000000-0000-0000-0000-000000000000"):
        called = running[0].call("workflow", "status", run_id, "--json")
        assert (called.code, called.error["code"]) == (2, "RUN_UNKNOWN")
        assert called.error["actions"][0]["command"] == "dataflow workflow runs"


def test_the_log_of_a_run_is_json_lines_of_one_schema(running: tuple[Project, str]) -> None:
    project, _ = running
    run_id = project.call("workflow", "run", "good", "--json").data["run"]["id"]
    lines = (project.root / ".dataflow" / "logs" / "runs" / f"{run_id}.jsonl").read_text().splitlines()
    assert len(lines) > 5
    for line in map(json.loads, lines):
        assert {"timestamp", "level", "message", "service", "run_id", "workflow"} <= set(line)
        assert line["run_id"] == run_id
    assert any(json.loads(line).get("step") == "good_table" for line in lines)


def test_the_files_tell_of_every_run_what_dagster_tells(running: tuple[Project, str]) -> None:
    project, through = running
    home = ProjectPaths(project.root).dagster_home
    with DagsterInstance.from_config(str(home)) as instance:
        ended_before_it_started = DagsterRun(job_name="slow", run_id=make_new_run_id())
        instance.report_run_canceled(instance.add_run(ended_before_it_started))
    files = HistoryFiles(home, lambda: lambda _: False)
    runs = files.runs(limit=1000)
    assert {"success", "failure"} <= {run.state for run in runs}
    assert files.run(ended_before_it_started.run_id).started is None
    if through == "dagster":
        client = DagsterClient(project.call("open", "--print").out.strip())
        assert runs == client.runs(limit=1000)
        for run in runs:
            assert run == files.run(run.id)
            assert list(map(essence, told(files, run.id))) == list(map(essence, told(client, run.id)))
    with DagsterInstance.from_config(str(home)) as instance:
        for run in runs:
            entries = [record.event_log_entry for record in instance.get_records_for_run(run.id).records]
            assert [event.time.timestamp() for event in told(files, run.id)] == [
                pytest.approx(entry.timestamp, abs=1e-5) for entry in entries
            ]
            own = [event.message for event in told(files, run.id) if event.kind != "check"]
            assert own == [
                entry.dagster_event.message or "" if entry.dagster_event else entry.user_message
                for entry in entries
                if not (entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION")
            ]


def told(history: RunHistory, run_id: str) -> list[RunEvent]:
    """Every event of a run, page by page."""
    events: list[RunEvent] = []
    cursor = None
    while (page := history.events(run_id, cursor)).events:
        events, cursor = [*events, *page.events], page.cursor
    return events


def essence(event: RunEvent) -> tuple[object, ...]:
    return event.kind, event.level, event.message, event.step, event.error, event.passed


def test_a_broken_workflow_does_not_stop_the_others(running: tuple[Project, str]) -> None:
    project, _ = running
    bad = add_workflow(project, "bad")
    (bad / "dagster_job.py").write_text("import nowhere\n")
    try:
        listed = project.call("workflow", "list")
        assert listed.code == 4
        assert re.search(r"bad/dagster_job\.py:1", listed.out)
        refused = project.call("workflow", "run", "bad", "--json")
        assert (refused.code, refused.error["code"]) == (4, "WORKFLOW_BROKEN")
        assert refused.error["place"]["line"] == 1
        assert project.call("workflow", "run", "good").code == 0
    finally:
        (bad / "dagster_job.py").unlink()


def test_a_workflow_that_is_added_or_changed_while_the_platform_is_up_runs_as_it_is_now(
    running: tuple[Project, str],
) -> None:
    project, _ = running
    folder = add_workflow(project, "fresh", body="pass")
    try:
        assert project.call("workflow", "run", "fresh", timeout=400).code == 0
        text = (folder / "dagster_job.py").read_text()
        (folder / "dagster_job.py").write_text(text.replace("pass", "raise ValueError('changed')"))
        called = project.call("workflow", "run", "fresh", timeout=400)
        assert (called.code, "changed" in called.err) == (7, True)
    finally:
        (folder / "dagster_job.py").unlink()


def test_a_users_own_log_lines_carry_their_step(running: tuple[Project, str]) -> None:
    project, _ = running
    body = "import logging, loguru\n    loguru.logger.info('from inside')\n    logging.warning('std inside')"
    folder = add_workflow(project, "talking", body=body)
    try:
        run_id = project.call("workflow", "run", "talking", "--json").data["run"]["id"]
        lines = project.call("workflow", "logs", run_id, "--step", "talking_table", "--json").data["lines"]
        said = {line["message"]: line for line in lines}
        assert {"from inside", "std inside"} <= set(said)
        assert said["from inside"]["workflow"] == "talking"
    finally:
        (folder / "dagster_job.py").unlink()
