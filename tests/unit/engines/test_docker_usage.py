"""Memory and processor from two samples of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflow.engines import docker_usage
from dataflow.engines.base import Usage


def sample(nanoseconds: int, memory: int = 150, cache: int = 50) -> dict[str, Any]:
    return {
        "cpu_stats": {"cpu_usage": {"total_usage": nanoseconds}},
        "memory_stats": {"usage": memory, "stats": {"inactive_file": cache}},
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(docker_usage.time, "time", lambda: now[0])
    return now


def test_the_processor_shows_between_two_samples(tmp_path: Path, clock: list[float]) -> None:
    def look(nanoseconds: int) -> Usage:
        return docker_usage.usage(tmp_path / "usage.json", {"web": "id"}, {"web": sample(nanoseconds)})["web"]

    assert look(10**9) == Usage(memory=100, cpu=None)  # nothing to compare with
    clock[0] += 2
    assert look(2 * 10**9) == Usage(memory=100, cpu=50.0)
    clock[0] += 0.1
    assert look(2 * 10**9).cpu == 50.0  # too soon to say something new
    clock[0] += 2
    assert look(2 * 10**9).cpu == 0.0
    clock[0] += 3600
    assert look(3 * 10**9).cpu is None  # an hour's mean is not what happens now


def test_a_container_that_was_made_anew_has_no_sample_yet(tmp_path: Path, clock: list[float]) -> None:
    docker_usage.usage(tmp_path / "usage.json", {"web": "old"}, {"web": sample(9**9)})
    clock[0] += 2
    found = docker_usage.usage(tmp_path / "usage.json", {"web": "new"}, {"web": sample(5)})
    assert found["web"].cpu is None


def test_a_stopped_container_uses_nothing_that_is_known(tmp_path: Path) -> None:
    assert docker_usage.usage(tmp_path / "x.json", {"web": "id"}, {"web": {}})["web"] == Usage(memory=None, cpu=None)
