"""Searching two million lines against `docker compose logs | grep`; the first line; how late followed lines are."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from dataflow.engines.choice import docker_lacks
from tests.bench.test_bench_cli import timed
from tests.conftest import Project

pytestmark = pytest.mark.bench
PROGRAM = str(Path(sys.executable).with_name("dataflow"))
START = datetime(2026, 11, 24, 8, tzinfo=UTC)
MANY, SOME = 2_000_000, 500_000


def write(path: Path, lines: int) -> None:
    """JSON lines with a hit every 100,000, the last one among the last lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for number in range(lines):
            time_ = (START + timedelta(milliseconds=number * 10)).isoformat()
            said = "connection refused" if number % 100_000 == 99_999 else f"request served in {number % 977} ms"
            file.write(f'{{"timestamp": "{time_}", "level": "info", "message": "{said}", "logger": "app"}}\n')


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "logged"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("")
    return Project(root)


def call(project: Project, *arguments: str) -> str:
    command = [PROGRAM, "logs", "dagster-daemon", *arguments]
    return subprocess.run(
        command, cwd=project.root, env=project.env(), capture_output=True, check=True, text=True
    ).stdout


def test_search_in_two_million_lines(project: Project) -> None:
    write(project.root / ".dataflow" / "logs" / "dagster-daemon.jsonl", MANY)
    assert len(call(project, "--grep", "connection refused").splitlines()) == MANY // 100_000
    seconds = sorted(timed(lambda: call(project, "--grep", "connection refused")) for _ in range(5))[2]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nlogs --grep in 2 M lines, all hits       {seconds:.2f} s (budget 1.00), {most:.0f} MB (budget 300)")
    first = sorted(timed(lambda: call(project, "--tail", "100")) for _ in range(7))[3]
    print(f"logs --tail 100 of 2 M lines              {first:.2f} s (budget 0.30)")


@pytest.mark.skipif(bool(docker_lacks()), reason="no Docker Engine")
def test_search_against_docker_compose_logs(project: Project) -> None:
    lines = project.root / ".dataflow" / "logs" / "dagster-daemon.jsonl"
    write(lines, SOME)
    (project.root / "compose.yaml").write_text(
        "services:\n  app:\n    image: busybox:1.37\n    command: cat /lines\n"
        f"    volumes: [{json.dumps(f'{lines}:/lines:ro')}]\n"
    )
    compose = ["docker", "compose", "--project-directory", str(project.root), "-f", str(project.root / "compose.yaml")]
    subprocess.run([*compose, "up", "--quiet-pull", "--no-log-prefix"], check=True, capture_output=True)
    try:
        peer = f"{' '.join(compose)} logs --no-log-prefix app | grep 'connection refused'"
        theirs = [timed(lambda: subprocess.run(peer, shell=True, check=True, capture_output=True)) for _ in range(2)]
        ours = [timed(lambda: call(project, "--grep", "connection refused")) for _ in range(3)]
    finally:
        subprocess.run([*compose, "down"], check=True, capture_output=True)
    print(
        f"\nlogs --grep in {SOME:,} lines            {min(ours):.2f} s  docker compose logs | grep {min(theirs):.2f} s"
        f"  ratio {min(theirs) / min(ours):.1f}x faster (budget 10x)"
    )


def test_following(project: Project) -> None:
    place = project.root / ".dataflow" / "logs" / "dagster-daemon.jsonl"
    write(place, 1)
    process = subprocess.Popen(
        [PROGRAM, "logs", "dagster-daemon", "--follow", "--tail", "0"],
        cwd=project.root, env=project.env(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    time.sleep(1.5)
    waits: list[float] = []
    with place.open("a") as file:
        for number in range(20):
            file.write(json.dumps({"timestamp": START.isoformat(), "level": "info", "message": f"n {number}"}) + "\n")
            file.flush()
            began = time.monotonic()
            process.stdout.readline()
            waits.append(time.monotonic() - began)
        print(
            f"\nlogs --follow, median and worst wait       {sorted(waits)[10]:.2f} s, {max(waits):.2f} s (budget 0.30)"
        )
        before, began = psutil.Process(process.pid).cpu_times(), time.monotonic()
        for second in range(5):
            for number in range(5000):
                line = {"timestamp": START.isoformat(), "level": "info", "message": f"{second} {number}"}
                file.write(json.dumps(line) + "\n")
            file.flush()
            read = [process.stdout.readline() for _ in range(5000)]
            assert read[-1].endswith(f"{second} 4999\n")
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
        seconds = time.monotonic() - began
        after = psutil.Process(process.pid).cpu_times()
    cpu = (after.user + after.system - before.user - before.system) / seconds
    print(f"logs --follow at 5,000 lines/s             {cpu:.2f} of a core over {seconds:.1f} s (budget 1.00)")
    process.kill()
    process.communicate()
