"""`dataflow doctor` and `support` where a Docker Engine answers, or is not what it should be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Project
from tests.engine.conftest import Daemon, add, container, docker
from tests.engine.test_faults import plugin

TALKS = "echo the password is $$WORD; touch /tmp/ready; sleep infinity"


def look(project: Project, *words: str, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what was found by check."""
    called = project.call("doctor", *words, "--json", **env)
    return called.code, {one["name"]: one for one in called.data["checks"]}


def test_a_sound_engine_passes(small: Project) -> None:
    add(small, "web", port=18431)
    code, found = look(small)
    assert code == 0, found
    assert {found[name]["state"] for name in ("docker-engine", "compose", "docker-context", "docker-init")} == {"pass"}
    assert (found["present"]["state"], found["clock"]["state"]) == ("pass", "pass")
    assert found["ports"]["message"] == "1 port: 0 held by this platform, 1 free."


def test_an_old_compose_and_none_fail(small: Project, tmp_path: Path) -> None:
    add(small, "web")
    code, found = look(small, **plugin(tmp_path, "2.19.1"))
    assert (code, found["compose"]["state"]) == (1, "fail")
    assert "2.19.1" in found["compose"]["message"]
    real = shutil.which("docker")
    fake = tmp_path / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$1" = compose ] && exit 1\nexec {real} "$@"\n')
    fake.chmod(0o755)
    code, found = look(small, PATH=f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert (code, found["compose"]["state"]) == (1, "fail")


def test_an_engine_that_auto_cannot_use_is_told(small: Project, tmp_path: Path) -> None:
    code, found = look(Project(small.root, engine=""), "engine", **plugin(tmp_path, "2.19.1"))
    assert (code, found["engine"]["state"]) == (0, "warn")
    assert "2.19.1" in found["engine"]["message"]


def test_an_engine_without_our_files_fails(small: Project, tmp_path: Path, spare: Callable[..., Daemon]) -> None:
    add(small, "web")
    code, found = look(small, DOCKER_HOST=spare(hidden=tmp_path).host)
    assert (code, found["docker-context"]["state"]) == (1, "fail")


def test_an_engine_that_is_stopped_is_named_within_the_budget(small: Project, spare: Callable[..., Daemon]) -> None:
    add(small, "web")
    engine = spare()
    assert engine.process
    os.kill(engine.process.pid, signal.SIGSTOP)
    try:
        called = small.call("doctor", "--json", DOCKER_HOST=engine.host)
    finally:
        os.kill(engine.process.pid, signal.SIGCONT)
    assert called.code == 1
    assert called.data["seconds"] < 3


def test_the_platforms_own_ports_are_its_own_and_a_containers_are_named(small: Project) -> None:
    add(small, "web", port=18432, command="touch /tmp/ready; httpd -f -p 80 -h /tmp")
    assert small.call("up").code == 0
    code, found = look(small)
    assert (code, found["ports"]["state"]) == (0, "pass")
    assert "1 held by this platform" in found["ports"]["message"]
    assert found["platform"]["message"] == "1 service up."
    other = Project(small.root.parent / "other", engine="docker")
    shutil.copytree(small.root, other.root, ignore=shutil.ignore_patterns(".dataflow"))
    _, found = look(other, "ports")
    assert found["ports"]["state"] == "warn"
    assert (
        f"{container(small, 'web')} of the Compose project" in found["ports"]["message"]
        or "held by the project in" in (found["ports"]["message"])
    )


def test_the_logs_of_containers_are_in_the_bundle_without_secrets(small: Project) -> None:
    small.write(".env", "WORD=sayitnotaloud\n")
    add(small, "web", command=TALKS, extra="    environment: {WORD: sayitnotaloud}\n")
    assert small.call("up").code == 0
    assert "sayitnotaloud" in docker("logs", container(small, "web"))
    called = small.call("support", "--json")
    assert called.code == 0, called.out
    with tarfile.open(called.data["path"]) as tar:
        texts = {member.name.partition("/")[2]: tar.extractfile(member).read().decode() for member in tar}  # type: ignore[union-attr]
    assert "the password is ***" in texts["logs/web.log"]
    assert not any("sayitnotaloud" in text for text in texts.values())
    assert json.loads(texts["status.json"])["services"][0]["state"] == "running"
    assert subprocess.run(["gzip", "-t", called.data["path"]], check=False).returncode == 0
