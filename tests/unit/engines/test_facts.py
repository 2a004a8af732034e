"""What the engine's JSON becomes: the words that `status` shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dataflow.engines.facts import facts_of, killed_for_memory, process_of

STARTED = "2026-11-24T10:00:00.123456789Z"


def inspected(**state: Any) -> dict[str, Any]:
    known = {"Status": "running", "ExitCode": 0, "StartedAt": STARTED, "FinishedAt": "0001-01-01T00:00:00Z", "Pid": 7}
    return {
        "Id": "abc",
        "Name": "/shop-loki-1",
        "Created": STARTED,
        "Image": "sha256:1",
        "RestartCount": state.pop("RestartCount", 0),
        "State": known | state,
        "Config": {"Image": "grafana/loki:3", "Labels": {"com.docker.compose.service": "loki"}},
        "HostConfig": {"PortBindings": {"3100/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3101"}], "9095/tcp": None}},
    }


def probe(code: int, output: str) -> dict[str, Any]:
    return {"End": STARTED, "ExitCode": code, "Output": output}


def test_a_container_that_runs() -> None:
    facts = facts_of(inspected(Health={"Status": "healthy", "Log": [probe(1, "no"), probe(0, "ok")]}))
    assert (facts.name, facts.service, facts.published) == ("shop-loki-1", "loki", {3100: 3101})
    assert facts.started == datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)
    assert facts.finished is None
    process = process_of(facts, job=False)
    assert (process.state, process.health, process.pid, process.detail) == ("running", "healthy", 7, "")


@pytest.mark.parametrize(
    ("state", "job", "word", "detail"),
    [
        ({"Status": "exited", "ExitCode": 0, "Pid": 0}, True, "completed", ""),
        ({"Status": "exited", "ExitCode": 3, "Pid": 0}, True, "failed", "exit code 3"),
        ({"Status": "exited", "ExitCode": 0, "Pid": 0}, False, "stopped", ""),
        ({"Status": "exited", "ExitCode": 143, "Pid": 0}, False, "stopped", "exit code 143"),
        ({"Status": "exited", "ExitCode": 1, "Pid": 0}, False, "failed", "exit code 1"),
        (
            {"Status": "exited", "ExitCode": 137, "OOMKilled": True, "Pid": 0},
            False,
            "failed",
            "it ran out of memory and was killed",
        ),
        ({"Status": "running"}, True, "starting", "still at work"),
        ({"Status": "paused"}, False, "paused", ""),
        ({"Status": "created", "Error": "port is taken", "Pid": 0}, False, "stopped", "port is taken"),
        (
            {"Status": "restarting", "RestartCount": 3, "ExitCode": 1},
            False,
            "crash-loop",
            "exit code 1, restarted 3 times",
        ),
        ({"Status": "running", "RestartCount": 1}, False, "running", "restarted once"),
        ({"Status": "invented later"}, False, "unknown", ""),
    ],
)
def test_states_and_what_is_said_of_them(state: dict[str, Any], job: bool, word: str, detail: str) -> None:
    process = process_of(facts_of(inspected(**state)), job=job)
    assert (process.state, process.detail) == (word, detail)


def test_an_unhealthy_container_says_what_its_check_said() -> None:
    facts = facts_of(inspected(Health={"Status": "unhealthy", "Log": [probe(1, "curl: (7)\n  refused\n")]}))
    process = process_of(facts, job=False)
    assert (process.state, process.health) == ("running", "unhealthy")
    assert process.detail == "its health check says: curl: (7) refused"


def ended(*said: str) -> list[dict[str, Any]]:
    return [{"Action": action, "Actor": {"ID": name}} for name, action in (one.split() for one in said)]


def test_a_container_that_started_again_is_known_by_its_last_end() -> None:
    assert killed_for_memory(ended("a oom", "a die", "b die")) == {"a"}
    assert killed_for_memory(ended("a die", "a oom")) == {"a"}, "the engine may tell of the end first"
    assert killed_for_memory(ended("a oom", "a die", "a die")) == set(), "its last end had another cause"
    assert killed_for_memory(ended()) == set()
