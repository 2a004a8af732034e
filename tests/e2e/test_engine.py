"""The native engine in bad weather: ports taken, processes killed, stale files, two projects, no space."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import Project, add_workflow, timed
from tests.e2e.conftest import eventually, mine, nothing_left, wait_for

LIGHT = "object-store"  # starts in a second


def service(project: Project, name: str) -> dict[str, object]:
    services = project.call("status", "--json").data["services"]
    return next(item for item in services if item["name"] == name)


def named(project: Project, word: str) -> list[int]:
    return [pid for pid, command in mine(project).items() if any(word in part for part in command)]


def test_down_leaves_nothing_and_may_be_called_twice(own: Project) -> None:
    assert own.call("up", LIGHT).code == 0
    assert len(mine(own)) >= 3
    called = own.call("down", "--json")
    assert called.code == 0
    assert called.data["ended"] >= 3
    assert nothing_left(own)
    again = own.call("down")
    assert (again.code, "was not up" in again.out) == (0, True)
    assert own.call("status", "--json").data["state"] == "down"


def test_a_taken_port_moves_names_its_holder_and_is_remembered(own: Project) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        add_port_service(own, taken)
        called = own.call("up", "echo", "--json")
        assert called.code == 0, called.out
        moved = called.data["moved_ports"][0]
        assert (moved["wanted"], f"(pid {os.getpid()})" in moved["holder"]) == (taken, True)
        assert any(str(taken) in warning for warning in called.json["warnings"])
    number = moved["number"]
    own.call("down")
    again = own.call("up", "echo", "--json").data["services"]
    assert next(item for item in again if item["name"] == "echo")["ports"][0]["number"] == number


def test_a_configured_port_that_is_taken_is_an_error(own: Project) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        called = own.call("up", LIGHT, "--json", DATAFLOW_SERVICES_OBJECT_STORE_PORT=str(port))
    assert (called.code, called.error["code"]) == (5, "PORT_TAKEN")
    assert f"(pid {os.getpid()})" in called.error["message"]
    assert mine(own) == {}


def test_two_projects_run_side_by_side_and_end_apart(own: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other")
    shutil.copytree(own.root, other.root)
    try:
        assert own.call("up", LIGHT).code == 0
        assert other.call("up", LIGHT).code == 0
        ports = [{use["number"] for use in service(project, LIGHT)["ports"]} for project in (own, other)]
        assert ports[0] & ports[1] == set()
        own.call("down")
        assert nothing_left(own)
        assert service(other, LIGHT)["health"] == "healthy"
    finally:
        other.call("down")
    assert nothing_left(other)


def test_two_worktrees_of_one_repository_are_two_platforms(own: Project, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments],
            cwd=own.root,
            check=True,
            capture_output=True,
        )

    own.write(".gitignore", ".dataflow/\n.env\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    git("worktree", "add", "-q", str(tmp_path / "tree"))
    tree = Project(tmp_path / "tree")
    try:
        assert own.call("up", LIGHT).code == 0
        assert tree.call("up", LIGHT).code == 0
        assert service(own, LIGHT)["pid"] != service(tree, LIGHT)["pid"]
    finally:
        tree.call("down")
    assert service(own, LIGHT)["health"] == "healthy"


def test_a_project_in_a_very_deep_folder_works(own: Project, tmp_path: Path) -> None:
    deep = Project(tmp_path / ("d" * 60) / ("e" * 60) / "project")
    shutil.copytree(own.root, deep.root)
    try:
        assert deep.call("up", LIGHT).code == 0
        assert service(deep, LIGHT)["health"] == "healthy"
    finally:
        deep.call("down")
    assert nothing_left(deep)


@pytest.mark.parametrize("victim", ["supervisord", "dataflow.engines.keeper"])
def test_killing_the_supervisor_or_its_keeper_does_not_end_the_platform(own: Project, victim: str) -> None:
    assert own.call("up", LIGHT).code == 0
    for pid in named(own, victim):
        if "keeper" in victim or "keeper" not in " ".join(mine(own).get(pid, [])):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: service(own, LIGHT)["health"] == "healthy", 20, "the store is back")
    assert own.call("restart", LIGHT).code == 0
    own.call("down")
    assert nothing_left(own)


def test_down_and_up_work_after_everything_that_supervises_was_killed(own: Project) -> None:
    add_service(own, "sleeper", ["sleep", "600"])  # writes nothing, so that a broken pipe does not end it
    assert own.call("up", LIGHT, "sleeper").code == 0
    for pid in [*named(own, "keeper"), *named(own, "supervisord")]:
        os.kill(pid, signal.SIGKILL)
    status = own.call("status", "--json").data
    assert service_state(status, LIGHT) == "stopped"
    assert "supervisor is gone" in next(item["detail"] for item in status["services"] if item["name"] == LIGHT)
    assert own.call("up", LIGHT).code == 0
    assert not named(own, "sleep")
    assert service(own, LIGHT)["health"] == "healthy"
    for pid in [*named(own, "keeper"), *named(own, "supervisord")]:
        os.kill(pid, signal.SIGKILL)
    assert own.call("down").code == 0
    assert nothing_left(own)


def test_up_works_after_a_reboot_left_stale_files(own: Project) -> None:
    assert own.call("up", LIGHT).code == 0
    run = own.root / ".dataflow" / "run"
    kept = {path.name: path.read_bytes() for path in run.glob("*") if path.is_file() and path.suffix != ".sock"}
    own.call("down")
    for name, content in kept.items():
        (run / name).write_bytes(content)
    with socket.socket(socket.AF_UNIX) as stale:  # a socket file that nobody listens on
        stale.bind(str(run / "supervisor.sock"))
    assert own.call("status", "--json").data["state"] == "down"
    assert own.call("up", LIGHT).code == 0


def test_corrupt_state_files_are_kept_aside_and_made_anew(own: Project) -> None:
    assert own.call("up", LIGHT).code == 0
    own.call("down")
    stack = own.root / ".dataflow" / "stack.json"
    stack.write_text('{"version": 1, "ports": {"ob')
    (own.root / ".dataflow" / "run" / "workflows.json").write_text("{")
    assert own.call("up", LIGHT).code == 0
    assert list(stack.parent.glob("stack.json.corrupt-*"))


def test_interrupting_up_leaves_a_state_that_status_describes(own: Project) -> None:
    process = own.start("up", "--verbose")
    wait_for(process, "waiting until it is healthy")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "INTERRUPTED" in err
    assert "Traceback" not in err
    status = own.call("status", "--json")
    assert status.data["state"] in {"degraded", "up"}
    assert {item["state"] for item in status.data["services"]} <= {"running", "starting", "restarting"}
    assert own.call("up").code == 0


def test_a_service_that_keeps_ending_is_a_crash_loop_with_its_last_words(own: Project) -> None:
    add_service(own, "doomed", ["sh", "-c", "echo cannot find my keys; exit 3"])
    called = own.call("up", "doomed", "--json", timeout=400)
    assert (called.code, called.error["code"]) == (6, "SERVICE_CRASHED")
    assert "cannot find my keys" in called.error["hint"]
    assert any("dataflow logs doomed" in action["command"] for action in called.error["actions"])
    now = service(own, "doomed")
    assert now["state"] == "crash-loop"
    assert now["restarts"] >= 3
    assert "exit status 3" in now["detail"]


def test_a_service_that_never_answers_is_not_healthy_in_time(own: Project) -> None:
    add_service(own, "mute", ["sleep", "600"], health="health: {tcp: http}")
    called = own.call("up", "mute", "--timeout", "3", "--json")
    assert (called.code, called.error["code"]) == (6, "NOT_HEALTHY")
    assert "does not answer" in called.error["message"]


def test_a_service_that_takes_its_time_to_end_is_waited_for(own: Project) -> None:
    add_service(own, "stubborn", ["sh", "-c", "trap : TERM; while :; do sleep 0.2; done"])
    file = own.root / "compose" / "services" / "stubborn" / "compose.yaml"
    file.write_text(f"{file.read_text()}    stop_seconds: 12\n")
    assert own.call("up", "stubborn").code == 0
    seconds, called = timed(own, "stop", "stubborn")
    assert called.code == 0, called.err
    assert seconds > 11
    assert service(own, "stubborn")["state"] == "stopped"
    assert own.call("start", "stubborn").code == 0
    before = named(own, "trap")
    assert own.call("restart", "stubborn").code == 0
    assert not set(before) & set(named(own, "trap"))


def test_a_service_whose_program_is_missing_is_left_out_and_becomes_available_with_it(
    own: Project, tmp_path: Path
) -> None:
    add_service(own, "extra", ["extra-program", "600"])
    own.write("dataflow.toml", 'profiles = ["extra"]\n')
    called = own.call("up", LIGHT, "extra", "--json")
    assert called.code == 0, called.out
    assert any("'extra-program' is not on PATH" in warning for warning in called.json["warnings"])
    assert service(own, "extra")["state"] == "unavailable"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "extra-program").symlink_to(shutil.which("sleep") or "")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    assert own.call("up", "extra", PATH=path).code == 0
    assert service(own, "extra")["state"] == "running"


def test_a_changed_setting_restarts_what_it_touches_and_says_why(own: Project) -> None:
    assert own.call("up", LIGHT).code == 0
    env = own.root / ".env"
    env.write_text(env.read_text().replace("DATAFLOW_S3_SECRET_KEY=", "DATAFLOW_S3_SECRET_KEY=x"))
    planned = own.call("up", LIGHT, "--dry-run", "--json").data["actions"]
    assert [(action["verb"], action["cause"]) for action in planned] == [("restart", "DATAFLOW_S3_SECRET_KEY changed")]
    before = service(own, LIGHT)["pid"]
    assert own.call("up", LIGHT).code == 0
    assert service(own, LIGHT)["pid"] != before
    assert own.call("storage", "ls").code == 0


def test_a_dry_run_starts_nothing_and_writes_nothing(own: Project) -> None:
    called = own.call("up", "--dry-run")
    assert called.code == 0
    assert "it does not run" in called.out
    assert not (own.root / ".dataflow").exists()
    assert not (own.root / ".env").exists()


def test_two_commands_do_not_change_the_platform_at_once(own: Project) -> None:
    first = own.start("up", "--verbose")
    wait_for(first, "waiting until it is healthy")
    second = own.call("up", "--json")
    assert (second.code, second.error["code"]) == (5, "BUSY")
    assert f"process {first.pid}" in second.error["message"]
    first.communicate(timeout=400)
    assert first.returncode == 0


def test_a_full_disk_is_named_and_nothing_is_lost(own: Project, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a file system of a fixed size needs the right to mount")
    try:
        shutil.copytree(own.root, place / "project")
        project = Project(place / "project")
        add_workflow(project, "w")
        with contextlib.suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        called = project.call("up", LIGHT, "--json")
        assert called.error["code"] == "DISK_FULL", called.out
        assert called.code == 1
        assert (project.root / "dataflow.toml").read_text() == 'name = "own"\n'
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_a_read_only_project_is_named(own: Project, tmp_path: Path) -> None:
    place = tmp_path / "fixed"
    place.mkdir()
    bound = subprocess.run(["mount", "--bind", str(own.root), str(place)], capture_output=True)
    if bound.returncode:
        pytest.skip("a read-only folder for the superuser needs the right to mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        called = Project(place).call("up", LIGHT, "--json")
        assert (called.code, called.error["code"]) == (1, "NOT_WRITABLE")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_the_status_is_watched_as_json_lines(own: Project) -> None:
    process = own.start("status", "--watch", "--interval", "0.2", "--json")
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(3)]
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=10)
    assert all('"state": "down"' in line for line in lines)
    assert process.returncode == 130


def test_logs_are_followed(own: Project) -> None:
    add_service(own, "talker", ["sh", "-c", "while true; do echo tick; sleep 0.2; done"])
    assert own.call("up", "talker").code == 0
    process = own.start("logs", "talker", "--follow", "--tail", "1")
    assert process.stdout
    began = time.monotonic()
    assert all("tick" in process.stdout.readline() for _ in range(5))
    assert time.monotonic() - began < 5
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=10)


def test_what_the_user_runs_under_exec_is_not_ours_to_end(own: Project) -> None:
    assert own.call("up", LIGHT).code == 0
    process = own.start("exec", "--", "sleep", "60")
    eventually(lambda: bool(psutil.Process(process.pid).children()), 10, "sleep runs")
    own.call("down")
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def service_state(status: dict[str, list[dict[str, str]]], name: str) -> str:
    return next(item["state"] for item in status["services"] if item["name"] == name)


def add_service(project: Project, name: str, command: list[str], health: str = "label: x") -> None:
    """A service of the project's own, by adding a folder."""
    words = ", ".join(f'"{word}"' for word in command[1:])
    label = "" if health.startswith("label") else f"  {health}\n"
    project.write(
        f"compose/services/{name}/compose.yaml",
        f"x-dataflow:\n  label: {name}\n  group: application\n  profile: extra\n  ports: {{http: 39000}}\n{label}"
        f"  native:\n    program: {command[0]}\n    arguments: [{words}]\n",
    )


def add_port_service(project: Project, port: int) -> None:
    project.write(
        "compose/services/echo/compose.yaml",
        "x-dataflow:\n  label: Echo\n  group: application\n  profile: extra\n"
        f"  ports: {{http: {port}}}\n  health: {{tcp: http}}\n"
        "  native:\n    program: python\n"
        '    arguments: [-m, http.server, --bind, 127.0.0.1, "{{http}}"]\n',
    )
