"""Bad weather on a real engine: each fault is produced for real, and named."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.engine.conftest import (
    ONLY_OWN,
    READY,
    Daemon,
    add,
    compose_name,
    container,
    containers,
    docker,
    eventually,
    inspect,
    remove,
    services,
)

WEB = "touch /tmp/ready; echo hello >/tmp/index.html; httpd -f -p 80 -h /tmp"
SLEEP = "touch /tmp/ready; sleep infinity"


# --- The engine ------------------------------------------------------------------------------------------------------


def test_an_absent_engine_is_named_with_where_it_was_looked_for(small: Project) -> None:
    add(small, "web", command=SLEEP)
    nowhere = "unix:///nowhere/docker.sock"
    called = small.call("up", "--json", DOCKER_HOST=nowhere)
    assert (called.code, called.error["code"]) == (5, "ENGINE_DOWN")
    assert nowhere in called.error["message"]
    assert any("--engine native" in action["command"] for action in called.error["actions"])
    status = small.call("status", "--json", DOCKER_HOST=nowhere)
    assert (status.code, status.data["state"]) == (0, "unknown")
    assert nowhere in status.data["note"]
    assert services_of(status.data) == {"web": "unknown"}


def test_auto_takes_docker_where_it_answers_and_native_where_it_does_not(small: Project) -> None:
    auto = Project(small.root, engine="")
    assert auto.call("engine", "show", "--json").data["name"] == "docker"
    without = auto.call("engine", "show", "--json", DOCKER_HOST="unix:///nowhere/docker.sock").data
    assert (without["name"], without["lacks"]) == ("native", "no Docker Engine answers")


def test_a_dead_context_is_named(small: Project, tmp_path: Path) -> None:
    config = {"DOCKER_CONFIG": str(tmp_path / "docker"), "DOCKER_CONTEXT": "afar"}
    subprocess.run(
        ["docker", "context", "create", "afar", "--docker", "host=tcp://127.0.0.1:1"],
        env={**os.environ, "DOCKER_CONFIG": config["DOCKER_CONFIG"]}, check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "docker" / "config.json").write_text("{}")
    add(small, "web", command=SLEEP)
    called = small.call("up", "--json", **config)
    assert (called.code, called.error["code"]) == (5, "ENGINE_DOWN")
    assert "tcp://127.0.0.1:1 (context afar)" in called.error["message"]
    called = small.call("up", "--json", DOCKER_CONTEXT="nowhere")
    assert (called.code, called.error["message"]) == (5, "There is no Docker context 'nowhere'.")


def test_an_engine_behind_ssh_that_cannot_be_reached_is_named(small: Project) -> None:
    add(small, "web", command=SLEEP)
    called = small.call("up", "--json", DOCKER_HOST="ssh://nobody@127.0.0.1:1")
    assert (called.code, called.error["code"]) == (5, "ENGINE_DOWN")
    assert "ssh://nobody@127.0.0.1:1" in called.error["message"]


def test_an_engine_on_a_machine_without_our_files_is_refused_before_anything_is_made(
    small: Project, tmp_path: Path, spare: Callable[..., Daemon]
) -> None:
    add(small, "web", command=SLEEP)
    afar = spare(hidden=tmp_path)
    called = small.call("up", "--json", DOCKER_HOST=afar.host)
    assert (called.code, called.error["code"]) == (5, "ENGINE_REMOTE")
    assert str(small.root) in called.error["message"]
    assert afar.host in called.error["message"]
    assert docker("-H", afar.host, "ps", "-aq") == ""


def test_an_engine_that_stops_in_the_middle_is_named_and_up_goes_on_when_it_is_back(
    small: Project, spare: Callable[..., Daemon]
) -> None:
    add(small, "slow", command="sleep 4; " + SLEEP, health=READY)
    add(small, "after", command=SLEEP, extra="    depends_on: {slow: {condition: service_healthy}}\n")
    engine = spare()
    process = small.start("up", "--json", DOCKER_HOST=engine.host)
    eventually(lambda: "slow" in docker("-H", engine.host, "ps", "--format", "{{.Names}}"), 30, "slow is started")
    engine.kill()
    out, _ = process.communicate(timeout=60)
    error = json.loads(out.strip().splitlines()[-1])["error"]
    assert (process.returncode, error["code"]) == (5, "ENGINE_DOWN")
    engine.start()
    called = small.call("up", "--json", DOCKER_HOST=engine.host)
    assert called.code == 0, called.out
    assert small.call("down", DOCKER_HOST=engine.host).code == 0


def test_an_engine_that_hangs_is_named_within_half_a_minute(small: Project, spare: Callable[..., Daemon]) -> None:
    add(small, "web", command=SLEEP)
    engine = spare()
    assert small.call("up", DOCKER_HOST=engine.host).code == 0
    assert engine.process
    os.kill(engine.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        status = small.call("status", "--json", DOCKER_HOST=engine.host)
        assert (status.code, status.data["state"]) == (0, "unknown")
        assert engine.host in status.data["note"]
        called = small.call("restart", "web", "--json", DOCKER_HOST=engine.host)
        assert (called.code, called.error["code"]) == (5, "ENGINE_DOWN")
        assert time.monotonic() - began < 60
    finally:
        os.kill(engine.process.pid, signal.SIGCONT)
    assert services_of(small.call("status", "--json", DOCKER_HOST=engine.host).data) == {"web": "running"}
    assert small.call("down", DOCKER_HOST=engine.host).code == 0


# --- Compose ---------------------------------------------------------------------------------------------------------


def plugin(folder: Path, version: str) -> dict[str, str]:
    """A Compose that says it is of this version, and does what the real one does."""
    path = folder / "docker" / "cli-plugins" / "docker-compose"
    path.parent.mkdir(parents=True)
    real = json.loads(subprocess.run(["docker", "info", "--format", "json"], capture_output=True, check=True).stdout)
    place = next(item["Path"] for item in real["ClientInfo"]["Plugins"] if item["Name"] == "compose")
    path.write_text(f'#!/bin/sh\ncase "$*" in *"version --short"*) echo {version};; *) exec {place} "$@";; esac\n')
    path.chmod(0o755)
    return {"DOCKER_CONFIG": str(folder / "docker")}


def test_a_compose_that_is_too_old_is_refused_with_its_version(small: Project, tmp_path: Path) -> None:
    add(small, "web", command=SLEEP)
    called = small.call("up", "--json", **plugin(tmp_path, "2.19.1"))
    assert (called.code, called.error["code"]) == (5, "COMPOSE_TOO_OLD")
    assert "2.19.1" in called.error["message"]
    assert containers(small) == {}


@pytest.mark.parametrize("version", ["2.20.0", "v5.0.1"])
def test_compose_2_20_and_5_are_accepted(small: Project, tmp_path: Path, version: str) -> None:
    add(small, "web", command=SLEEP)
    assert small.call("up", **plugin(tmp_path, version)).code == 0


def test_a_docker_command_without_compose_is_named(small: Project, tmp_path: Path) -> None:
    add(small, "web", command=SLEEP)
    real = shutil.which("docker")
    fake = tmp_path / "bin" / "docker"
    fake.parent.mkdir()
    lacking = 'echo "unknown command: docker compose" >&2; exit 1'
    fake.write_text(f'#!/bin/sh\n[ "$1" = compose ] && {{ {lacking}; }}\nexec {real} "$@"\n')
    fake.chmod(0o755)
    called = small.call("up", "--json", PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert (called.code, called.error["code"]) == (5, "COMPOSE_MISSING")


# --- Ports and names -------------------------------------------------------------------------------------------------


def test_a_port_taken_by_a_process_moves_and_names_it_and_is_remembered(small: Project) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        add(small, "web", command=WEB, port=port, block='  health: {url: "http://127.0.0.1:{{http}}/index.html"}\n')
        called = small.call("up", "--json")
        assert called.code == 0, called.out
    (moved,) = called.data["moved_ports"]
    assert (moved["wanted"], f"(pid {os.getpid()})" in moved["holder"]) == (port, True)
    small.call("down")
    assert small.call("up", "--json").data["services"][0]["ports"][0]["number"] == moved["number"]


def test_a_port_taken_by_another_projects_container_names_both(small: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", engine="docker")
    shutil.copytree(small.root, other.root)
    for project in (small, other):
        add(project, "web", command=WEB, port=38080)
    try:
        assert other.call("up").code == 0
        called = small.call("up", "--json")
        assert called.code == 0, called.out
        (moved,) = called.data["moved_ports"]
        assert container(other, "web") in moved["holder"]
        assert compose_name(other) in moved["holder"]
    finally:
        other.call("down")
        remove(other)


def test_a_service_that_is_stopped_keeps_its_port_while_its_platform_is_up(small: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", engine="docker")
    shutil.copytree(small.root, other.root)
    for project in (small, other):
        add(project, "web", command=WEB, port=38084)
    add(other, "rest", command=SLEEP)
    try:
        assert other.call("up").code == 0
        assert other.call("stop", "web").code == 0
        (moved,) = small.call("up", "--dry-run", "--json").data["moved_ports"]
        assert str(other.root) in moved["holder"]
        assert other.call("down").code == 0
        assert small.call("up", "--dry-run", "--json").data["moved_ports"] == []
    finally:
        other.call("down")
        remove(other)


def test_a_service_that_is_named_gets_a_free_port_whatever_its_profile(small: Project) -> None:
    add(small, "aside", command=WEB, port=38085, extra="    profiles: [observability]\n")
    with socket.create_server(("127.0.0.1", 38085)):
        called = small.call("up", "aside", "--json")
    assert called.code == 0, called.out
    (moved,) = called.data["moved_ports"]
    assert (moved["service"], moved["wanted"]) == ("aside", 38085)


def test_a_configured_port_that_a_container_holds_is_an_error(small: Project) -> None:
    name = f"holder-{os.getpid()}"
    docker("run", "-d", "--rm", "--name", name, "-p", "127.0.0.1:38081:80", "busybox:1.37", "sleep", "300")
    try:
        add(small, "web", command=WEB, port=38081)
        called = small.call("up", "--json", DATAFLOW_SERVICES_WEB_PORT="38081")
        assert (called.code, called.error["code"]) == (5, "PORT_TAKEN")
        assert f"the container {name}" in called.error["message"]
    finally:
        docker("rm", "-f", name)


def test_a_foreign_container_with_our_name_is_told_and_never_removed(small: Project) -> None:
    add(small, "web", command=SLEEP)
    foreign = docker("run", "-d", "--name", container(small, "web"), "busybox:1.37", "sleep", "300")
    try:
        called = small.call("up", "--json")
        assert (called.code, called.error["code"]) == (5, "NAME_TAKEN")
        assert container(small, "web") in called.error["message"]
        small.call("down", "--volumes", "--yes", "--no-snapshot")
        assert inspect(foreign)["State"]["Running"]
    finally:
        docker("rm", "-f", foreign)


def test_two_projects_and_two_worktrees_run_at_once(small: Project, tmp_path: Path) -> None:
    add(small, "web", command=WEB, port=38082)
    small.write(".gitignore", ".dataflow/\n.env\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-qm", "x"],
        ["worktree", "add", "-q", str(tmp_path / "tree")],
    ):
        subprocess.run([*git, *words], cwd=small.root, check=True, capture_output=True)
    tree = Project(tmp_path / "tree", engine="docker")
    try:
        assert small.call("up").code == 0
        assert tree.call("up").code == 0
        assert services(small)["web"]["ports"] != services(tree)["web"]["ports"]
        small.call("down")
        assert containers(small) == {}
        assert containers(tree) == {"web": "running"}
    finally:
        tree.call("down")
        remove(tree)


# --- Disk and images -------------------------------------------------------------------------------------------------


def test_a_disk_that_is_nearly_full_is_told_before_anything_is_made(small: Project, tmp_path: Path) -> None:
    place = tmp_path / "tight"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("a file system of a fixed size needs the right to mount")
    try:
        project = Project(place / "project", engine="docker")
        shutil.copytree(small.root, project.root)
        add(project, "web", command=SLEEP)
        called = project.call("up", "--json")
        assert (called.code, called.error["code"]) == (1, "DISK_FULL")
        assert str(project.root) in called.error["message"]
        assert containers(project) == {}
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_an_image_that_cannot_be_had_is_left_out_with_the_reason(small: Project) -> None:
    add(small, "web", command=SLEEP)
    add(small, "gone", image="registry.invalid/none:1")
    called = small.call("up", "--json")
    assert called.code == 0, called.out
    assert any("gone is left out: registry.invalid/none:1 cannot be had" in text for text in called.json["warnings"])
    now = services(small)
    assert (now["gone"]["state"], now["web"]["health"]) == ("unavailable", "healthy")
    again = small.call("up", "--json")
    assert [action["verb"] for action in again.data["actions"]] == ["skip", "keep"]


def test_an_image_that_another_service_needs_is_an_error(small: Project) -> None:
    add(small, "gone", image="registry.invalid/none:1")
    add(small, "web", command=SLEEP, extra="    depends_on: [gone]\n")
    called = small.call("up", "--json")
    assert (called.code, called.error["code"]) == (5, "IMAGE_MISSING")
    assert "web needs gone" in called.error["message"]


# --- Containers ------------------------------------------------------------------------------------------------------


def test_a_container_that_crashes_at_its_start_is_told_at_once_with_its_last_words_and_kept(small: Project) -> None:
    add(small, "doomed", command="echo cannot find my keys; exit 3", extra="    restart: unless-stopped\n")
    add(small, "web", command=SLEEP, extra="    depends_on: {doomed: {condition: service_healthy}}\n")
    began = time.monotonic()
    called = small.call("up", "--json", "--timeout", "60")
    assert (called.code, called.error["code"]) == (6, "SERVICE_CRASHED"), called.error
    assert time.monotonic() - began < 30
    assert "exit code 3" in called.error["message"]
    assert "cannot find my keys" in called.error["hint"]
    assert "web wait for it" in called.error["hint"]
    assert "doomed" in containers(small), "a failed start keeps its containers"
    assert "cannot find my keys" in small.call("logs", "doomed").out
    assert services(small)["doomed"]["state"] == "crash-loop"


def test_what_crashed_before_comes_up_once_it_is_mended(small: Project) -> None:
    add(small, "doomed", command="exit 3", extra="    restart: unless-stopped\n")
    assert small.call("up", "--timeout", "30").code == 6
    add(small, "doomed", command=SLEEP, extra="    restart: unless-stopped\n")
    called = small.call("up", "--json")
    assert called.code == 0, called.out
    assert called.data["actions"] == [{"service": "doomed", "verb": "recreate", "cause": "command changed"}]


def test_a_container_that_runs_out_of_memory_is_called_so(small: Project) -> None:
    hungry = "x=$(head -c 40000000 /dev/zero | tr '\\0' x); " + SLEEP
    add(
        small,
        "hungry",
        command=hungry,
        extra="    mem_limit: 12m\n    memswap_limit: 12m\n    restart: unless-stopped\n",
    )
    called = small.call("up", "--json", "--timeout", "60")
    assert (called.code, called.error["code"]) == (6, "OUT_OF_MEMORY"), called.out
    assert any("DATAFLOW_SERVICES_HUNGRY_MEMORY" in action["command"] for action in called.error["actions"])


def test_an_unhealthy_container_is_told_with_what_its_check_says(small: Project) -> None:
    add(small, "sick", command="sleep infinity", health="echo the doctor is out; exit 1")
    called = small.call("up", "--json", "--timeout", "60")
    assert (called.code, called.error["code"]) == (6, "NOT_HEALTHY")
    assert "the doctor is out" in called.error["message"]
    assert "the doctor is out" in services(small)["sick"]["detail"]


def test_a_container_that_takes_too_long_is_not_healthy_in_time(small: Project) -> None:
    add(small, "slow", command="sleep infinity", health="echo not yet; exit 1", extra="")
    small.write(
        "compose.override.yaml",
        "services: {slow: {healthcheck: {start_period: 300s}}}\n",
    )
    called = small.call("up", "--json", "--timeout", "12")  # enough for the engine's first check to have ended
    assert (called.code, called.error["code"]) == (6, "NOT_HEALTHY")
    assert "within 12 seconds" in called.error["message"]
    assert "not yet" in called.error["message"]


def test_what_users_use_is_asked_and_not_only_the_containers_own_check(small: Project) -> None:
    block = '  health: {url: "http://127.0.0.1:{{http}}/missing"}\n'
    add(small, "web", command=WEB, port=38083, block=block)
    called = small.call("up", "--json", "--timeout", "4")
    assert (called.code, called.error["code"]) == (6, "NOT_HEALTHY")
    assert "answered 404" in called.error["message"]


def test_a_job_that_succeeds_is_done_and_does_not_run_again(small: Project) -> None:
    add(small, "once", command="echo done", health=None, block="  job: true\n")
    add(small, "web", command=SLEEP, extra="    depends_on: {once: {condition: service_completed_successfully}}\n")
    assert small.call("up").code == 0
    assert services(small)["once"]["state"] == "completed"
    before = inspect(container(small, "once"))["State"]["StartedAt"]
    again = small.call("up", "--json")
    assert {action["verb"] for action in again.data["actions"]} == {"keep"}
    assert inspect(container(small, "once"))["State"]["StartedAt"] == before
    assert small.call("status", "--json").data["state"] == "up"


def test_a_job_that_fails_is_the_cause_and_not_what_waits_for_it(small: Project) -> None:
    add(small, "once", command="echo no such bucket; exit 4", health=None, block="  job: true\n")
    add(small, "web", command=SLEEP, extra="    depends_on: {once: {condition: service_completed_successfully}}\n")
    called = small.call("up", "--json")
    assert (called.code, called.error["code"]) == (6, "JOB_FAILED")
    assert "once failed with exit code 4" in called.error["message"]
    assert "no such bucket" in called.error["hint"]
    add(small, "once", command="echo done", health=None, block="  job: true\n")
    assert small.call("up").code == 0


def test_interrupting_up_leaves_what_there_is_and_up_goes_on(small: Project) -> None:
    add(small, "slow", command="sleep 6; " + SLEEP)
    small.write("compose.override.yaml", "services: {slow: {healthcheck: {start_period: 60s}}}\n")
    process = small.start("up")
    eventually(lambda: containers(small).get("slow") == "running", 30, "slow is started")
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "INTERRUPTED" in err, "Traceback" in err) == (130, True, False)
    assert containers(small) == {"slow": "running"}
    assert small.call("up").code == 0


# --- The user's own files --------------------------------------------------------------------------------------------


def test_attached_up_shows_the_logs_until_ctrl_c_which_stops_what_it_started(small: Project) -> None:
    add(small, "web", command="touch /tmp/ready; while true; do echo tick; sleep 1; done")
    add(small, "other", command=SLEEP)
    assert small.call("up", "other").code == 0
    process = small.start("up", "web", "--attach")
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    assert any(" web tick" in line for line in lines)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert containers(small) == {"web": "exited", "other": "running"}


def test_a_users_override_is_part_of_it_and_named_as_the_cause(small: Project) -> None:
    add(small, "web", command=SLEEP)
    assert small.call("up").code == 0
    small.write(
        "compose.override.yaml",
        "services:\n  web: {environment: {COLOUR: blue}}\n"
        "  more: {image: busybox:1.37, init: true, command: sleep 1000}\n",
    )
    planned = {action["service"]: action for action in small.call("up", "--dry-run", "--json").data["actions"]}
    assert planned["web"]["verb"] == "recreate"
    assert planned["web"]["cause"] == "COLOUR changed (compose.override.yaml)"
    assert planned["more"]["verb"] == "create"
    assert small.call("up").code == 0
    assert "COLOUR=blue" in inspect(container(small, "web"))["Config"]["Env"]
    assert services(small)["more"]["state"] == "running"
    small.call("down")
    assert containers(small) == {}


def test_an_override_that_compose_refuses_is_named_with_its_words(small: Project) -> None:
    add(small, "web", command=SLEEP)
    small.write("compose.override.yaml", "services: {web: {imag: x}}\n")
    called = small.call("up", "--json")
    assert (called.code, called.error["code"]) == (4, "COMPOSE_INVALID")
    assert "imag" in called.error["message"]
    assert called.error["place"]["path"].endswith("compose.override.yaml")


def test_a_mounted_file_that_changed_restarts_its_service_and_no_other(small: Project) -> None:
    add(small, "web", command=SLEEP, extra="    volumes: [./web.conf:/etc/web.conf:ro]\n")
    add(small, "other", command=SLEEP)
    small.write("compose/services/web/web.conf", "one")
    assert small.call("up").code == 0
    small.write("compose/services/web/web.conf", "two")
    planned = {a["service"]: (a["verb"], a["cause"]) for a in small.call("up", "--dry-run", "--json").data["actions"]}
    assert planned == {"web": ("restart", "web.conf changed"), "other": ("keep", "it runs as it should")}
    assert small.call("up").code == 0
    assert docker("exec", container(small, "web"), "cat", "/etc/web.conf") == "two"


def test_a_service_that_is_switched_off_is_removed_and_says_why(small: Project) -> None:
    add(small, "web", command=SLEEP)
    add(small, "other", command=SLEEP)
    assert small.call("up").code == 0
    small.write("dataflow.toml", f"{ONLY_OWN}\n[services.other]\nenabled = false\n")
    called = small.call("up", "--json")
    assert {(a["service"], a["verb"]) for a in called.data["actions"]} == {("web", "keep"), ("other", "stop")}
    assert containers(small) == {"web": "running"}


def test_a_dry_run_makes_and_writes_nothing(small: Project) -> None:
    add(small, "web", command=SLEEP)
    called = small.call("up", "--dry-run", "--json")
    assert called.data["actions"] == [{"service": "web", "verb": "create", "cause": "it is not there"}]
    assert containers(small) == {}
    assert not (small.root / ".dataflow").exists()
    assert not (small.root / ".env").exists()


def test_a_lost_memory_does_not_restart_what_runs_as_it_should(small: Project) -> None:
    add(small, "web", command=SLEEP)
    assert small.call("up").code == 0
    (small.root / ".dataflow" / "stack.json").write_text("{")
    called = small.call("up", "--json")
    assert [action["verb"] for action in called.data["actions"]] == ["keep"]


def services_of(data: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {item["name"]: item["state"] for item in data["services"]}
