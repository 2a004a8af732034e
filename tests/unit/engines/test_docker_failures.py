"""Words of the engine and of Compose, as they were seen in Docker 24 to 29, and the errors that people get."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dataflow.engines.compose import failed, invalid, step_of
from dataflow.engines.docker_failures import Seen, blamed, broken, not_in_time, refused
from dataflow.engines.facts import ContainerFacts, facts_of
from dataflow.engines.model import ServiceModel

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (
            "external connectivity on endpoint web: Bind for 127.0.0.1:3000 failed: port is already allocated",
            "PORT_TAKEN",
        ),
        ("failed to bind host port 127.0.0.1:3000/tcp: address already in use", "PORT_TAKEN"),
        (
            "failed to bind host port for 127.0.0.1:3000:172.18.0.2:80/tcp: address already in use",
            "PORT_TAKEN",
        ),
        ("Error starting userland proxy: listen tcp4 127.0.0.1:3000: bind: address already in use", "PORT_TAKEN"),
        ('Conflict. The container name "/shop-web-1" is already in use by container "abc"', "NAME_TAKEN"),
        ("failed to register layer: write /usr/lib/x: no space left on device", "DISK_FULL"),
        ("Error response from daemon: No such image: nobody/nothing:1", "IMAGE_MISSING"),
        ("pull access denied for nobody/nothing, repository does not exist", "IMAGE_MISSING"),
        ("manifest for postgres:99 not found: manifest unknown", "IMAGE_MISSING"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "ENGINE_DOWN"),
        ("error during connect: EOF", "ENGINE_DOWN"),
        ('exec: "docker-init": executable file not found in $PATH', "ENGINE_BROKEN"),
    ],
)
def test_refusals_of_the_engine_have_codes(said: str, code: str) -> None:
    error = refused(said)
    assert error is not None
    assert error.code == code
    assert error.actions


def test_the_port_is_named_and_other_words_are_no_refusal() -> None:
    error = refused("Bind for 0.0.0.0:8333 failed: port is already allocated")
    assert error is not None
    assert "8333" in error.message
    assert refused("Container shop-web-1  Started") is None


def container(name: str, status: str, *, restarts: int = 0, health: tuple[str, int, str] | None = None, **state: Any):
    known: dict[str, Any] = {"Status": status, "StartedAt": NOW.isoformat(), **state}
    if health:
        word, code, said = health
        known["Health"] = {"Status": word, "Log": [{"End": NOW.isoformat(), "ExitCode": code, "Output": said}]}
    return facts_of({"Id": name, "Name": name, "RestartCount": restarts, "State": known, "Config": {}})


def seen(name: str, facts: ContainerFacts, **more: Any) -> Seen:
    model = {name: ServiceModel("", ""), "later": ServiceModel("", "", depends={name: ""})}
    containers = {name: facts, "later": container("later", "created")}
    return Seen(containers, model, {"job"}, lambda service, lines: [f"last words of {service}"], **more)


@pytest.mark.parametrize(
    ("name", "facts", "code", "words"),
    [
        ("web", container("web", "exited", ExitCode=1), "SERVICE_CRASHED", "exit code 1"),
        ("web", container("web", "exited", ExitCode=137, OOMKilled=True), "OUT_OF_MEMORY", "ran out of memory"),
        ("web", container("web", "restarting", restarts=3, ExitCode=2), "SERVICE_CRASHED", "restarted 3 times"),
        ("web", container("web", "running", health=("unhealthy", 1, "refused")), "NOT_HEALTHY", "says: refused"),
        ("job", container("job", "exited", ExitCode=4), "JOB_FAILED", "exit code 4"),
    ],
)
def test_a_service_that_failed_is_named_with_its_last_words(
    name: str, facts: ContainerFacts, code: str, words: str
) -> None:
    error = broken([name], seen(name, facts))
    assert error is not None
    assert (error.code, words in error.message) == (code, True)
    assert error.hint == f"later wait for it.\nIts last lines:\nlast words of {name}"


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("web", container("web", "running", health=("starting", 1, "not yet"))),
        ("web", container("web", "running", health=("healthy", 0, "ok"))),
        ("web", container("web", "running", health=("unhealthy", 0, "ok"))),  # it is being stopped
        ("web", container("web", "restarting", restarts=1, ExitCode=1)),
        ("job", container("job", "exited", ExitCode=0)),
        ("web", container("web", "exited", ExitCode=0)),
    ],
)
def test_what_may_still_come_up_is_not_called_broken(name: str, facts: ContainerFacts) -> None:
    assert broken([name], seen(name, facts)) is None


def test_what_a_container_did_before_it_was_started_anew_says_nothing() -> None:
    facts = container("web", "exited", ExitCode=1)
    assert broken(["web"], seen("web", facts, anew=frozenset({"web"}), since=NOW + timedelta(seconds=1))) is None
    assert broken(["web"], seen("web", facts, anew=frozenset({"web"}), since=NOW - timedelta(seconds=1)))


def test_the_container_that_is_replaced_says_nothing_even_where_it_starts_again_by_itself() -> None:
    old = {"restarts": 6, "ExitCode": 3, "StartedAt": (NOW + timedelta(seconds=2)).isoformat()}
    facts = replace(container("web", "restarting", **old), created=NOW - timedelta(minutes=1))
    known = {"anew": frozenset({"web"}), "since": NOW}
    assert broken(["web"], seen("web", facts, **known))
    assert broken(["web"], seen("web", facts, **known, replaced=frozenset({"web"}))) is None
    new = replace(facts, created=NOW + timedelta(seconds=1))
    assert broken(["web"], seen("web", new, **known, replaced=frozenset({"web"})))


def test_a_service_that_takes_too_long() -> None:
    facts = container("web", "running", health=("starting", 1, "loading"))
    error = not_in_time("web", facts, seen("web", facts), 30)
    assert error.message == "web was not healthy within 30 seconds: its health check says: loading."
    assert error.actions[-1].command == "dataflow up --timeout 300"


def test_steps_of_compose_as_it_tells_them() -> None:
    step = step_of('{"id":"Container shop-web-1","status":"Working","text":"Starting"}')
    assert step is not None
    assert (step.id, step.status, step.error) == ("Container shop-web-1", "Working", False)
    error = step_of('{"error":true,"message":"no such image"}')
    assert error is not None
    assert (error.text, error.error) == ("no such image", True)
    assert step_of("time=now level=warning msg=...") is None
    assert step_of('{"other": 1}') is None


def test_an_invalid_override_is_named(tmp_path: Any) -> None:
    override = tmp_path / "compose.override.yaml"
    said = 'time="x" level=warning msg="noise"\nservices.web additional properties not allowed\n'
    error = invalid(said, [tmp_path / "compose.yaml", override])
    assert error.message == (
        "Docker Compose refuses the configuration: services.web additional properties not allowed."
    )
    assert error.place is not None
    assert error.place.path == override
    assert failed("one\n\ntwo\n").hint == "one\ntwo"


def test_what_compose_gave_up_on_is_called_broken_though_it_starts_again_by_now() -> None:
    named = blamed("dependency failed to start: container web is unhealthy")
    error = broken(["web"], seen("web", container("web", "restarting", restarts=1, ExitCode=3), blamed=named))
    assert error is not None
    assert (error.code, "exit code 3, restarted 1 time." in error.message) == ("SERVICE_CRASHED", True)
