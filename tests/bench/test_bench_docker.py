"""The docker engine against `docker compose` on the same project, in turn; and what the platform uses when idle."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataflow.engines.choice import docker_lacks
from tests.bench.test_bench_cli import timed
from tests.conftest import Project

pytestmark = [pytest.mark.bench, pytest.mark.skipif(bool(docker_lacks()), reason="no Docker Engine")]
PROGRAM = str(Path(sys.executable).with_name("dataflow"))


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("bench-docker")
    assert Project(root).call("init", "platform").code == 0
    project = Project(root / "platform", engine="docker")
    assert project.call("up", timeout=600).code == 0  # builds the image, so that nobody pays for it below
    yield project
    project.call("down", "--volumes", "--yes", "--no-snapshot")


def ours(project: Project, *arguments: str) -> Callable[[], object]:
    command = [PROGRAM, *arguments]
    return lambda: subprocess.run(command, cwd=project.root, env=project.env(), capture_output=True, check=True)


def compose(project: Project, *arguments: str) -> Callable[[], object]:
    command = ["docker", "compose", *arguments]
    return lambda: subprocess.run(command, cwd=project.root, capture_output=True, check=True)


def told(what: str, pairs: list[tuple[float, float]], peer: str, budget: float) -> None:
    one, two = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"\n{what:<40} {one:.2f} s  {peer} {two:.2f} s  ratio {ratio:.2f}  (budget {budget:.2f})")


def test_up_and_down_of_the_default_profile(platform: Project) -> None:
    ups: list[tuple[float, float]] = []
    downs: list[tuple[float, float]] = []
    for _ in range(3):
        ours(platform, "down")()
        up_by_us = timed(ours(platform, "up"))
        down_by_us = timed(ours(platform, "down"))
        up_by_compose = timed(compose(platform, "up", "-d", "--wait", "--quiet-pull"))
        ups.append((up_by_us, up_by_compose))
        downs.append((down_by_us, timed(compose(platform, "down"))))
    told("up to healthy, images warm", ups, "docker compose up -d --wait", 1.15)
    told("down", downs, "docker compose down", 1.15)


def test_up_with_nothing_to_do_and_status(platform: Project) -> None:
    ours(platform, "up")()
    seconds = [timed(ours(platform, "up")) for _ in range(7)]
    print(f"\nup with nothing to do                    {statistics.median(seconds):.2f} s  (budget 0.60)")
    pairs = [
        (timed(ours(platform, "status", "--json")), timed(compose(platform, "ps", "--format", "json")))
        for _ in range(9)
    ]
    told("status --json", pairs, "docker compose ps --format json", 2.0)


def test_stopping_a_service_waits_for_no_kill(platform: Project) -> None:
    ours(platform, "up", "--profile", "all")()
    services = json.loads(platform.call("status", "--json").out)["data"]["services"]
    print()
    for service in services:
        if service["state"] == "running":
            seconds = timed(ours(platform, "stop", service["name"]))
            print(f"stop {service['name']:<35} {seconds:.2f} s  (a kill would take 10 or more)")
            assert seconds < 10
    ours(platform, "up", "--profile", "all")()


def test_what_an_idle_platform_uses(platform: Project) -> None:
    """Figures of the engine's own accounting, over half a minute."""
    ours(platform, "up", "--profile", "all")()
    time.sleep(45)  # what starts up is not idle
    ours(platform, "status", "--json")()
    time.sleep(30)
    status = platform.call("status", "--json").data
    total = 0
    print()
    for service in status["services"]:
        if service["memory"]:
            total += service["memory"]
            print(
                f"idle {service['name']:<20} {service['memory'] / 1e6:7.0f} MB  {service['cpu']:5.1f} % of a processor"
            )
    most = max(service["cpu"] or 0.0 for service in status["services"])
    print(f"idle all {total / 1e9:.2f} GB (budget 4.00), busiest {most:.1f} % (budget 3.0)")
