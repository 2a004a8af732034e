"""`dataflow doctor`: every finding is produced for real."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.engines.supervisor import socket_path
from tests.conftest import Called, Project, add_workflow

NOWHERE = "unix:///nowhere/docker.sock"


def look(project: Project, *words: str, **env: str) -> tuple[Called, dict[str, dict[str, Any]]]:
    """A call, and what it found by check; of several findings of one check the last."""
    called = project.call("doctor", *words, "--json", **env)
    return called, {one["name"]: one for one in called.data["checks"]}


@pytest.fixture
def ready(project: Project) -> Project:
    """A project that has its credentials."""
    names = ("S3_ACCESS_KEY", "S3_SECRET_KEY", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD")
    project.write(".env", "".join(f"DATAFLOW_{name}=0123456789abcdef\n" for name in names)).chmod(0o600)
    return project


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that this test holds."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_sound_project_passes_within_the_budget(ready: Project) -> None:
    add_workflow(ready, "w")
    began = time.monotonic()
    called, found = look(ready)
    assert called.code == 0, called.out
    assert time.monotonic() - began < 10  # the budget of three seconds, on a machine that others use
    assert called.data["seconds"] < 3
    assert {one["state"] for one in found.values()} <= {"pass", "warn", "skipped"}
    assert found["docker-engine"]["message"] == "The native engine needs no Docker."
    assert found["packages"]["state"] == "pass"
    summary = called.data["summary"]
    assert sum(summary.values()) == len(called.data["checks"])


def test_it_changes_nothing_unless_it_is_asked_to(ready: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in ready.root.rglob("*")}
    ready.call("doctor")
    assert {path: path.stat().st_mtime_ns for path in ready.root.rglob("*")} == before


def test_for_people_it_fits_80_columns_and_says_what_helps(ready: Project) -> None:
    (ready.root / ".env").chmod(0o644)
    called = ready.call("doctor", COLUMNS="80")
    assert called.code == 1
    assert max(map(len, called.out.splitlines())) <= 80
    assert "Others may read .env (mode 644)." in called.out
    assert "chmod 600 .env" in called.out
    assert "dataflow doctor --fix" in called.out


def test_without_a_project_the_machine_is_checked(tmp_path: Path) -> None:
    called, found = look(Project(tmp_path))
    assert called.code == 0, called.out
    assert (called.data["project"], found["python"]["state"], found["memory"]["state"]) == (None, "pass", "pass")
    assert "no project here" in found["settings"]["message"]


def test_a_group_and_a_check_can_be_named_and_an_unknown_one_is_refused(ready: Project) -> None:
    _, found = look(ready, "machine", "env")
    assert {one["group"] for one in found.values()} == {"machine", "project"}
    assert "settings" not in found
    called = ready.call("doctor", "machin", "--json")
    assert (called.code, called.error["code"]) == (2, "CHECK_UNKNOWN")
    assert "machine" in called.error["hint"]


def test_a_readable_env_fails_and_is_fixed_with_a_line_in_the_audit_log(ready: Project) -> None:
    (ready.root / ".env").chmod(0o644)
    called, found = look(ready)
    assert (called.code, found["permissions"]["state"], found["permissions"]["fixable"]) == (1, "fail", True)
    called, found = look(ready, "--fix")
    assert (called.code, found["permissions"]["state"]) == (0, "pass")
    assert found["permissions"]["fixed"] == "chmod 600 .env"
    assert (ready.root / ".env").stat().st_mode & 0o777 == 0o600
    audit = [json.loads(line) for line in (ready.root / ".dataflow" / "audit.jsonl").read_text().splitlines()]
    assert [(line["operation"], line["detail"], line["outcome"]) for line in audit] == [
        ("doctor", "chmod 600 .env", "done")
    ]


def test_missing_credentials_and_folders_are_made(project: Project) -> None:
    (project.root / "workflows").rmdir()
    called, found = look(project)
    assert called.code == 0
    assert (found["secrets"]["state"], found["folders"]["state"]) == ("warn", "warn")
    called, found = look(project, "--fix")
    assert (found["secrets"]["state"], found["folders"]["state"]) == ("pass", "pass")
    assert (project.root / "workflows").is_dir()
    text = (project.root / ".env").read_text()
    assert "DATAFLOW_S3_SECRET_KEY=" in text
    secret = text.split("DATAFLOW_S3_SECRET_KEY=")[1].split("\n")[0]
    assert secret not in called.out + called.err


def test_a_secret_that_a_workflow_needs_and_an_empty_one_are_named(ready: Project) -> None:
    add_workflow(ready, "w", manifest="version: 1\nsecrets: [{name: API_TOKEN}]\n")
    _, found = look(ready)
    assert "w needs API_TOKEN" in found["secrets"]["message"]
    ready.write(".env", "DATAFLOW_POSTGRES_PASSWORD=\n")
    called, _ = look(ready)
    assert called.code == 1
    assert "DATAFLOW_POSTGRES_PASSWORD is empty." in called.out


@pytest.mark.parametrize(
    ("text", "words"),
    [("A=1\n'oops\n", ".env:2: .env has a malformed line"), ("DATAFLOW_ENGIN=native\n", "Unknown variable")],
)
def test_a_bad_line_in_env_fails_and_the_other_checks_go_on(project: Project, text: str, words: str) -> None:
    project.write(".env", text)
    called, found = look(project)
    assert called.code == 1
    assert words in found["env"]["message"]
    assert (found["python"]["state"], found["settings"]["state"]) == ("pass", "skipped")
    assert found["ports"]["state"] == "skipped"


def test_a_wrong_setting_fails_and_a_variable_that_is_nearly_one_is_told(project: Project) -> None:
    project.write("dataflow.toml", 'nmae = "x"\n')
    called, found = look(project, DATAFLOW_PROFILS="all")
    assert (called.code, found["settings"]["state"]) == (1, "fail")
    assert "Did you mean 'name'?" in found["settings"]["hint"]
    assert found["variables"]["hint"] == "Did you mean 'DATAFLOW_PROFILES'?"
    assert (found["variables"]["state"], found["variables"]["command"]) == ("warn", "unset DATAFLOW_PROFILS")


def test_a_value_in_the_environment_that_does_not_fit_fails(project: Project) -> None:
    called, found = look(project, "variables", DATAFLOW_UP_TIMEOUT="soon")
    assert (called.code, found["variables"]["state"]) == (1, "fail")
    assert "DATAFLOW_UP_TIMEOUT" in found["variables"]["message"]


def test_a_configured_port_that_is_taken_fails_and_names_the_holder(ready: Project, listener: int) -> None:
    called, found = look(ready, DATAFLOW_SERVICES_DAGSTER_WEBSERVER_PORT=str(listener))
    assert (called.code, found["ports"]["state"]) == (1, "fail")
    assert f"pid {os.getpid()}" in found["ports"]["message"]
    assert "dataflow up" in found["ports"]["command"]


def test_a_port_that_can_move_is_only_told(ready: Project, listener: int) -> None:
    state = {"version": 1, "ports": {"dagster-webserver": {"http": listener}}, "engine": "native"}
    ready.write(".dataflow/stack.json", json.dumps(state))
    called, found = look(ready)
    assert (called.code, found["ports"]["state"]) == (0, "warn")
    assert found["ports"]["about"] == "dagster-webserver.http"
    assert f"{listener} is held by" in found["ports"]["message"]


def test_an_engine_that_does_not_answer_fails_with_where_it_was_looked_for(ready: Project) -> None:
    called, found = look(ready, DATAFLOW_ENGINE="docker", DOCKER_HOST=NOWHERE)
    assert (called.code, found["docker-engine"]["state"]) == (1, "fail")
    assert NOWHERE in found["docker-engine"]["message"]
    assert found["docker-init"]["state"] == found["platform"]["state"] == "skipped"


def test_an_engine_that_hangs_is_named_within_the_budget(ready: Project, tmp_path: Path) -> None:
    path = tmp_path / "hangs.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        called, found = look(ready, DATAFLOW_ENGINE="docker", DOCKER_HOST=f"unix://{path}")
    assert called.data["seconds"] < 3
    assert (called.code, found["docker-engine"]["state"]) == (1, "fail")
    assert found["python"]["state"] == "pass"


def test_promtail_minio_and_floating_tags_are_told_without_an_engine(ready: Project) -> None:
    ready.write(
        "dataflow.toml",
        'engine = "docker"\nprofiles = ["observability"]\nlog_collector = "promtail"\n[services.loki]\n'
        'image = "grafana/loki"\n[services.object-store]\nimage = "minio/minio:latest"\n',
    )
    called = ready.call("doctor", "supply", "--json", DATAFLOW_ENGINE="docker", DOCKER_HOST=NOWHERE)
    found = {(one["about"].split(":")[0], one["state"]): one for one in called.data["checks"]}
    assert called.code == 1
    assert "2026-03-02" in found["log-collector", "warn"]["message"]
    assert "alloy" in found["log-collector", "warn"]["hint"]
    assert "no tag" in found["loki", "warn"]["message"]
    assert "removed from Docker Hub" in found["object-store", "fail"]["message"]
    assert "the tag latest" in found["object-store", "warn"]["message"]


def test_stale_sockets_and_half_written_files_are_removed(ready: Project) -> None:
    run = ready.root / ".dataflow" / "run"
    run.mkdir(parents=True)
    left = socket_path(ProjectPaths(ready.root.resolve()))  # elsewhere, where the path is too long for a socket
    left.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(left))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (run / "supervisord.pid").write_text(f"{ended.pid}\n")
    half = ready.write(".dataflow/.stack.json.abc1_2de", "{")
    os.utime(half, (1, 1))
    called, found = look(ready)
    assert (called.code, found["sockets"]["state"], found["partial-files"]["state"]) == (0, "warn", "warn")
    _, found = look(ready, "--fix")
    assert found["sockets"]["fixed"] == f"removed {left.name}, supervisord.pid"
    assert not half.exists()
    assert not left.exists()
    assert [path.name for path in run.glob("*") if path.suffix in {".sock", ".pid"}] == []


def test_nothing_is_fixed_while_another_command_works_on_the_platform(ready: Project) -> None:
    import fcntl

    (ready.root / ".env").chmod(0o644)
    lock = ready.write(".dataflow/run/lock", "process 1")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        called, found = look(ready, "--fix")
    assert (called.code, found["permissions"]["state"]) == (1, "fail")
    assert any("Nothing was changed" in warning for warning in called.json["warnings"])


def test_a_restore_that_was_cut_off_and_an_undone_upgrade_are_told(ready: Project) -> None:
    ready.write(".dataflow/restoring/journal.json", '{"moves": []}')
    ready.write(".dataflow/stack.json", json.dumps({"version": 1, "engine": "docker", "pins": {"loki": "held"}}))
    called, found = look(ready)
    assert (called.code, found["restore"]["command"]) == (1, "dataflow up")
    assert "loki stay as they were" in found["upgrade"]["message"]
    assert found["other-engine"]["state"] in {"warn", "fail"}


def test_a_corrupt_state_file_is_told(ready: Project) -> None:
    ready.write(".dataflow/stack.json.corrupt-20260101T000000", "{")
    ready.write(".dataflow/stack.json", "{}")
    assert look(ready, "stack-file")[1]["stack-file"]["state"] == "warn"
    ready.write(".dataflow/stack.json", "{")
    assert look(ready, "stack-file")[1]["stack-file"]["state"] == "fail"
    assert look(ready)[1]["stack-file"]["state"] in {"warn", "fail"}  # whoever reads it keeps it aside


def test_a_warehouse_that_somebody_has_locked_names_who(ready: Project) -> None:
    path = ready.root / ".dataflow" / "warehouse.duckdb"
    path.parent.mkdir()
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); c.execute('create table t (i int)');"
        "c.execute('checkpoint'); print(1, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        _, found = look(ready, "warehouse")
        assert holder.stdin
        holder.stdin.close()
    assert found["warehouse"]["state"] == "warn"
    assert f"process {holder.pid}" in found["warehouse"]["message"]
    path.write_bytes(b"\0" * 100)
    called, found = look(ready, "warehouse")
    assert (called.code, found["warehouse"]["state"]) == (1, "fail")


def test_git_that_would_take_secrets_fails(ready: Project) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=ready.root, check=True, capture_output=True)

    git("init", "-q")
    called = ready.call("doctor", "git", "--json")
    assert called.code == 1
    assert [(one["about"], one["state"]) for one in called.data["checks"]] == [(".env", "fail"), (".dataflow", "warn")]
    ready.write(".gitignore", ".env\n.dataflow/\n")
    assert look(ready, "git")[1]["git"]["state"] == "pass"
    git("add", "-f", ".env")
    assert look(ready, "git")[1]["git"]["message"] == "git has .env."


def test_a_proxy_that_stands_between_is_told_without_its_password(ready: Project) -> None:
    proxied = {"HTTP_PROXY": "http://user:hunter2secret@proxy:3128", "NO_PROXY": "example.org"}
    called, found = look(ready, "proxy", **proxied)
    assert (found["proxy"]["state"], called.code) == ("warn", 0)
    assert "hunter2secret" not in called.out
    assert look(ready, "proxy", **{**proxied, "NO_PROXY": "localhost,127.0.0.0/8"})[1]["proxy"]["state"] == "pass"


def test_a_terminal_without_unicode_is_told(ready: Project) -> None:
    _, found = look(ready, "terminal", PYTHONIOENCODING="ascii")
    assert found["terminal"]["state"] == "warn"
    assert ready.call("doctor", "machine", PYTHONIOENCODING="ascii").code == 0


def test_processes_without_a_supervisor_fail(ready: Project) -> None:
    marker = {**os.environ, "DATAFLOW_STACK": ProjectPaths(ready.root.resolve()).stack_id}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=marker) as left:
        called, found = look(ready, "platform")
        assert left.stdin
        left.stdin.close()
    assert (called.code, found["platform"]["command"]) == (1, "dataflow up")
    assert "1 process of the platform" in found["platform"]["message"]
