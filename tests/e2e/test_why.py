"""`dataflow why` on the native engine: every cause is produced for real and named, with what suffers under it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Called, Project, add_workflow, timed
from tests.e2e.conftest import eventually, mine
from tests.e2e.test_engine import service

LIGHT = "object-store"


def causes(called: Called) -> dict[str, str]:
    """Subject -> cause of every problem."""
    return {problem["subject"]["name"]: problem["cause"] for problem in called.data["problems"]}


def only(called: Called) -> dict[str, Any]:
    """The one problem."""
    assert called.code == 1, called.out
    assert len(called.data["problems"]) == 1, causes(called)
    problem = called.data["problems"][0]
    assert 1 <= len(problem["actions"]) <= 3
    return problem


def facts(problem: dict[str, Any]) -> str:
    return "\n".join(f"{fact['label']}: {fact['text']}" for fact in problem["evidence"])


def commands(problem: dict[str, Any]) -> list[str]:
    return [action["command"] for action in problem["actions"]]


def suffering(problem: dict[str, Any]) -> set[str]:
    return {subject["name"] for subject in problem["affects"]}


def add_service(project: Project, name: str, command: list[str], *, health: str = "", more: str = "") -> None:
    """A service of the project's own, in a profile of its name."""
    own = "".join(f"  {line}\n" for line in (health, more) if line)
    project.write(
        f"compose/services/{name}/compose.yaml",
        f"x-dataflow:\n  label: {name}\n  group: application\n  profile: {name}\n  ports: {{http: 39000}}\n{own}"
        f"  native:\n    program: {command[0]}\n    arguments: {json.dumps(command[1:])}\n",
    )


# --- The platform and its services -----------------------------------------------------------------------------------


def test_a_platform_that_is_down_is_one_problem_and_well_again_when_it_is_up(own: Project) -> None:
    add_service(own, "mute", ["sleep", "600"])
    problem = only(own.call("why", "--json"))
    assert (problem["cause"], problem["subject"]["kind"]) == ("not-up", "platform")
    assert "object-store" in suffering(problem)
    assert commands(problem) == ["dataflow up"]
    own.write("dataflow.toml", "\n".join(f"[services.{name}]\nenabled = false" for name in
                                         ("dagster-code", "dagster-daemon", "dagster-webserver")))  # fmt: skip
    assert own.call("up").code == 0
    called = own.call("why")
    assert (called.code, called.out.strip()) == (0, "Nothing is wrong with own.")


def test_a_killed_supervisor_is_the_cause_and_not_its_services(own: Project) -> None:
    add_service(own, "mute", ["sleep", "600"])  # one that writes would end when nobody reads it
    assert own.call("up", "mute").code == 0
    running = mine(own)
    keepers = [pid for pid, command in running.items() if "dataflow.engines.keeper" in command]
    supervisors = [pid for pid, command in running.items() if any(part.endswith("/supervisord") for part in command)]
    assert (len(keepers), len(supervisors)) == (1, 1)
    for pid in (*keepers, *supervisors):  # a keeper would start another supervisor
        os.kill(pid, signal.SIGKILL)
    assert causes(own.call("why", "--json")) == {"own": "supervisor-gone"}


def test_a_service_that_somebody_stopped_is_told_with_who_and_what_waits_for_it(own: Project) -> None:
    add_service(own, "first", ["sleep", "600"])
    add_service(own, "second", ["sleep", "600"], more="depends: [first]")
    assert own.call("up", "second").code == 0
    assert own.call("stop", "first").code == 0
    problem = only(own.call("why", "first", "--json"))
    assert problem["cause"] == "stopped"
    assert "dataflow stop" in facts(problem)
    assert commands(problem) == ["dataflow start first"]


def test_a_crash_loop_is_told_with_its_last_words_and_its_dependant_is_not_blamed(own: Project) -> None:
    add_service(own, "doomed", ["sh", "-c", "echo ERROR cannot find my keys; exit 3"])
    add_service(own, "later", ["sleep", "600"], more="depends: [doomed]")
    called = own.call("up", "later", "--json", timeout=400)
    assert called.code == 6
    assert "dataflow why doomed" in [action["command"] for action in called.error["actions"]]
    problem = only(own.call("why", "doomed", "--json"))
    assert problem["cause"] == "crash-loop"
    assert "cannot find my keys" in problem["summary"]
    assert "exit status 3" in facts(problem)
    assert any("it depends on no other service" in text for text in problem["ruled_out"])
    assert own.call("stop", "later").code == 0
    problem = only(own.call("why", "later", "--json"))
    assert problem["subject"]["name"] == "doomed"
    assert "later" in suffering(problem)
    page = own.call("why", "doomed", COLUMNS="80")
    assert max(map(len, page.out.splitlines())) <= 80
    assert page.out.startswith("doomed keeps ending")


def test_a_port_that_another_process_holds_is_named_with_pid_and_command(own: Project) -> None:
    serve = ["python", "-u", "-m", "http.server", "--bind", "127.0.0.1", "{{http}}"]
    add_service(own, "web", serve)
    assert own.call("up", "web").code == 0
    port = service(own, "web")["ports"][0]
    assert own.call("stop", "web").code == 0
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port["number"]))
        listener.listen()
        assert own.call("restart", "web", timeout=400).code == 6
        problem = only(own.call("why", "web", "--json"))
    assert problem["cause"] == "port-taken"
    assert f"(pid {os.getpid()})" in problem["summary"]
    assert "dataflow start web" in commands(problem)


def test_a_configured_port_that_is_held_is_why_the_platform_is_not_up(own: Project) -> None:
    add_service(own, "web", ["sleep", "600"])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = str(listener.getsockname()[1])
        own.write("dataflow.toml", f"profiles = ['web']\n[services.web]\nport = {number}\n")
        assert own.call("up").code == 5
        problem = only(own.call("why", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("web", "port-taken")
    assert f"(pid {os.getpid()})" in facts(problem)


def test_an_unhealthy_service_is_told_with_its_probe_and_its_dependant_suffers(own: Project) -> None:
    serve = ["python", "-m", "http.server", "--bind", "127.0.0.1", "{{http}}"]
    add_service(own, "web", serve, health='health: {url: "http://127.0.0.1:{{http}}/missing"}')
    add_service(own, "reader", ["sh", "-c", "exit 1"], more="depends: [web]")
    assert own.call("up", "reader", "--timeout", "8").code == 6
    eventually(lambda: service(own, "web")["state"] == "running", 30, "supervisord trusts it")
    problem = only(own.call("why", "reader", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("web", "unhealthy")
    assert "answered 404" in facts(problem)
    assert suffering(problem) == {"reader"}


def test_a_changed_setting_is_named_as_what_changed_since(own: Project) -> None:
    add_service(own, "doomed", ["sh", "-c", "echo panic; exit 3"])
    assert own.call("up", "doomed", timeout=400).code == 6
    env = own.root / ".env"
    env.write_text(env.read_text().replace("DATAFLOW_S3_SECRET_KEY=", "DATAFLOW_S3_SECRET_KEY=x"))
    called = own.call("why", "doomed", "--json")
    assert called.data["problems"][0]["cause"] == "crash-loop"
    secret = next(line for line in env.read_text().splitlines() if "SECRET_KEY" in line).partition("=")[2]
    assert secret not in called.out


def test_no_secret_and_no_terminal_escape_gets_through(own: Project) -> None:
    own.write(".env", "DATAFLOW_S3_SECRET_KEY=hunter2-hunter2\n")
    add_service(own, "leaky", ["sh", "-c", "printf 'ERROR \\033[31mhunter2-hunter2\\033]0;x\\007 no\\n'; exit 1"])
    assert own.call("up", "leaky", timeout=400).code == 6
    called = own.call("why", "leaky")
    assert called.code == 1
    assert "hunter2" not in called.out
    assert "\x1b" not in called.out
    assert "hunter2" not in own.call("why", "leaky", "--json").out


def test_a_full_disk_is_the_cause(own: Project, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("a file system of a fixed size needs the right to mount")
    try:
        shutil.copytree(own.root, place / "project")
        called = Project(place / "project").call("why", "--json")
        assert called.data["problems"][0]["cause"] == "disk-full"
        assert str(place) in facts(called.data["problems"][0])
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


# --- Workflows and runs ----------------------------------------------------------------------------------------------

LOCKS = """\
from dataflow.shared import db
    with db.write_connection(wait=2) as c:
        c.execute('create table t (a int)')"""
CHECK = """
@dg.asset_check(asset=unchecked_table)
def holds() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)
"""


@pytest.fixture(scope="module", params=["dagster", "process"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose runs go through Dagster, and one without any service."""
    root = tmp_path_factory.mktemp("why") / request.param
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("[services.object-store]\nenabled = false\n")
    project = Project(root)
    add_workflow(project, "good")
    add_workflow(project, "failing", body="raise ValueError('the source is on fire')")
    add_workflow(project, "asking", body="import httpx\n    httpx.get('http://127.0.0.1:1/readings')")
    add_workflow(project, "locked", body=LOCKS)
    add_workflow(project, "dying", body="import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)")
    add_workflow(project, "secretive", manifest="version: 1\nsecrets: [{name: MY_TOKEN}]\n")
    project.write("workflows/broken/dagster_job.py", "import nothing_of_the_kind\n")
    check = add_workflow(project, "unchecked") / "dagster_job.py"
    text = check.read_text().replace("@register_workflow", CHECK + "\n\n@register_workflow")
    check.write_text(text.replace("assets=[unchecked_table]", "assets=[unchecked_table], asset_checks=[holds]"))
    if request.param == "dagster":
        assert project.call("up", timeout=400).code == 0
    yield project
    project.call("down")


def test_a_broken_workflow_is_told_with_file_and_line(running: Project) -> None:
    problem = only(running.call("why", "broken", "--json"))
    assert problem["cause"] == "workflow-broken"
    assert "at: workflows/broken/dagster_job.py:1" in facts(problem)
    assert "nothing_of_the_kind" in problem["summary"]


def test_a_missing_secret_is_told_and_gone_once_it_is_set(running: Project) -> None:
    problem = only(running.call("why", "secretive", "--json"))
    assert (problem["cause"], "MY_TOKEN" in problem["summary"]) == ("missing-secret", True)
    assert commands(problem) == ["echo 'MY_TOKEN=…' >> .env"]
    assert running.call("why", "secretive", "--json", MY_TOKEN="something").code == 0


def test_a_failing_step_is_told_with_its_line_and_what_changed_since_it_worked(running: Project) -> None:
    path = running.root / "workflows" / "failing" / "dagster_job.py"
    bad = path.read_text()
    path.write_text(bad.replace("raise ValueError('the source is on fire')", "pass"))
    assert running.call("workflow", "run", "failing").code == 0
    assert running.call("why", "failing", "--json").code == 0
    path.write_text(bad)
    called = running.call("workflow", "run", "failing", "--json")
    assert called.code == 7
    (told,) = [a["command"] for a in called.error["actions"] if a["command"].startswith("dataflow why ")]
    for name in (told.split()[-1], "failing", "last"):
        problem = only(running.call("why", name, "--json"))
        assert (problem["subject"]["kind"], problem["cause"]) == ("run", "step-failed")
    assert "the source is on fire" in problem["summary"]
    assert re.search(r"at: workflows/failing/dagster_job.py:\d+", facts(problem))
    assert "changed since: failing/dagster_job.py" in facts(problem)
    asset = only(running.call("why", "failing_table", "--json"))
    assert (asset["subject"], asset["cause"]) == ({"kind": "asset", "name": "failing_table"}, "step-failed")


def test_a_source_that_is_down_is_the_cause_of_a_failed_run(running: Project) -> None:
    assert running.call("workflow", "run", "asking").code == 7
    problem = only(running.call("why", "asking", "--json"))
    assert problem["cause"] == "source-down"
    assert "Connection refused" in facts(problem)


def test_a_locked_warehouse_names_the_process_that_holds_it(running: Project) -> None:
    path = running.root / ".dataflow" / "warehouse.duckdb"
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('locked', flush=True); time.sleep(600)"
    path.parent.mkdir(exist_ok=True)
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline().strip() == "locked"
        assert running.call("workflow", "run", "locked", timeout=400).code == 7
        problem = only(running.call("why", "locked", "--json"))
        assert problem["cause"] == "warehouse-locked"
        assert f"process {holder.pid} (" in problem["summary"]
        assert "import duckdb" in problem["summary"]
        assert f"kill {holder.pid}" in commands(problem)
    finally:
        holder.kill()
        holder.wait()
    problem = only(running.call("why", "locked", "--json"))
    assert "now it is free" in problem["summary"]
    assert commands(problem) == ["dataflow workflow run locked"]


def test_a_killed_run_is_told_so_and_of_no_concern_once_its_workflow_is_gone(running: Project) -> None:
    assert running.call("workflow", "run", "dying", timeout=400).code == 7
    assert only(running.call("why", "dying", "--json"))["cause"] == "run-killed"
    (running.root / "workflows" / "dying").rename(running.root / "away")
    try:
        assert "run-killed" not in causes(running.call("why", "--json")).values()
        assert only(running.call("why", "last", "--json"))["cause"] == "run-killed", "whoever asks is told"
    finally:
        (running.root / "away").rename(running.root / "workflows" / "dying")


def test_a_check_that_does_not_hold_is_the_cause(running: Project) -> None:
    called = running.call("workflow", "run", "unchecked", "--json")
    assert called.code == 8
    assert any(action["command"].startswith("dataflow why ") for action in called.error["actions"])
    problem = only(running.call("why", "unchecked", "--json"))
    assert problem["cause"] == "check-failed"
    assert "unchecked_table:holds" in facts(problem)
    assert only(running.call("why", "unchecked_table", "--json"))["cause"] == "check-failed"


def test_a_run_waits_for_a_pool_that_another_run_has(running: Project) -> None:
    for name in ("holding", "waiting"):
        folder = add_workflow(running, name, body="import time\n    time.sleep(180)")
        job = folder / "dagster_job.py"
        job.write_text(job.read_text().replace("@dg.asset\n", '@dg.asset(pool="duckdb")\n'))
    ids: dict[str, str] = {}
    try:
        ids["holding"] = running.call("workflow", "run", "holding", "--detach", "--json").data["run_id"]
        steps = lambda: running.call("workflow", "status", ids["holding"], "--json").data["progress"]["steps"]  # noqa: E731
        eventually(lambda: bool(steps()), 60, "the first one is at its step")
        ids["waiting"] = running.call("workflow", "run", "waiting", "--detach", "--json").data["run_id"]
        eventually(lambda: running.call("why", ids["waiting"], "--json").code == 1, 60, "the second one waits")
        problem = only(running.call("why", ids["waiting"], "--json"))
        # Dagster's queue does not even start a run of which every step would wait.
        assert problem["cause"] == ("queue-wait" if running.root.name == "dagster" else "pool-wait")
        assert f"run {ids['holding'][:8]} of holding" in facts(problem)
        assert running.call("why", ids["holding"], "--json").code == 0
    finally:
        for run in ids.values():
            running.call("workflow", "cancel", run)
        for name in ("holding", "waiting"):
            shutil.rmtree(running.root / "workflows" / name)


def test_everything_at_once_is_told_causes_first_and_in_time(running: Project) -> None:
    assert running.call("workflow", "run", "failing").code == 7
    alone = timed(running, "status")[0]
    took, called = timed(running, "why", "--json")
    assert called.code == 1
    kinds = [problem["subject"]["kind"] for problem in called.data["problems"]]
    order = ["platform", "service", "workflow", "run"]
    assert kinds == sorted(kinds, key=order.index)
    found = causes(called)
    assert (found["broken"], found["secretive"]) == ("workflow-broken", "missing-secret")
    # The budget of 1.5 s is a benchmark: how fast this machine is now, nobody knows but a command that does less.
    assert took < 4 * alone + 1.0


def test_queued_runs_suffer_from_a_daemon_that_is_down(running: Project) -> None:
    if running.root.name != "dagster":
        pytest.skip("without Dagster nothing is queued")
    assert running.call("stop", "dagster-daemon").code == 0
    try:
        run = running.call("workflow", "run", "good", "--detach", "--json").data["run_id"]
        for name in (run, "good", "dagster-daemon"):
            problem = only(running.call("why", name, "--json"))
            assert (problem["subject"]["name"], problem["cause"]) == ("dagster-daemon", "stopped")
            assert run in suffering(problem)
    finally:
        assert running.call("start", "dagster-daemon", timeout=400).code == 0


def test_what_nothing_is_called_is_refused_with_a_suggestion(running: Project) -> None:
    called = running.call("why", "failin", "--json")
    assert (called.code, called.error["code"]) == (2, "SUBJECT_UNKNOWN")
    assert "failing" in called.error["hint"]


def test_a_dbt_test_that_does_not_hold_is_the_cause(own: Project) -> None:
    root = own.root / "shop"
    assert own.call("init", "shop").code == 0
    project = Project(root)
    try:
        assert project.call("up", LIGHT).code == 0
        project.write("workflows/nightscout/dbt/tests/never.sql", "select 1 as wrong")
        ran = project.call("workflow", "run", "nightscout", "--json", timeout=400)
        assert ran.code in {7, 8}, ran.out
        problem = project.call("why", "nightscout", "--json").data["problems"][-1]
        assert problem["cause"] in {"dbt-test-failed", "check-failed"}, json.dumps(problem, indent=1)
        assert "never" in facts(problem)
    finally:
        project.call("down")
