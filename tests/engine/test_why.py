"""`dataflow why` on a real engine: each cause is produced for real, and what suffers from it is not blamed."""

from __future__ import annotations

from typing import Any

from tests.conftest import Called, Project
from tests.engine.conftest import add, container, docker
from tests.engine.test_faults import SLEEP
from tests.engine.test_volumes import change_password


def only(called: Called) -> dict[str, Any]:
    """The one problem."""
    assert called.code == 1, called.out
    (problem,) = called.data["problems"]
    assert 1 <= len(problem["actions"]) <= 3
    return problem


def facts(problem: dict[str, Any]) -> str:
    return "\n".join(f"{fact['label']}: {fact['text']}" for fact in problem["evidence"])


def suffering(problem: dict[str, Any]) -> set[str]:
    return {subject["name"] for subject in problem["affects"]}


def test_an_engine_that_is_away_is_the_one_problem_and_the_services_suffer(small: Project) -> None:
    add(small, "web", command=SLEEP)
    called = small.call("why", "--json", DOCKER_HOST="unix:///nowhere/docker.sock")
    problem = only(called)
    assert (problem["subject"]["kind"], problem["cause"]) == ("platform", "engine-down")
    assert "/nowhere/docker.sock" in problem["summary"]
    assert "web" in suffering(problem)
    assert only(small.call("why", "web", "--json", DOCKER_HOST="unix:///nowhere/docker.sock"))["cause"] == "engine-down"


def test_memory_is_the_cause_of_a_container_that_was_killed_for_it(small: Project) -> None:
    hungry = "x=$(head -c 40000000 /dev/zero | tr '\\0' x); " + SLEEP
    limits = "    mem_limit: 12m\n    memswap_limit: 12m\n    restart: unless-stopped\n"
    add(small, "hungry", command=hungry, extra=limits)
    called = small.call("up", "--json", "--timeout", "60")
    assert "dataflow why hungry" in [action["command"] for action in called.error["actions"]]
    problem = only(small.call("why", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("hungry", "out-of-memory")
    assert "DATAFLOW_SERVICES_HUNGRY_MEMORY" in problem["actions"][0]["command"]


def test_a_crash_loop_has_its_exit_code_its_words_and_who_waits_for_it(small: Project) -> None:
    words = "echo starting; echo ERROR cannot find my keys; exit 3"
    add(small, "doomed", command=words, extra="    restart: unless-stopped\n")
    waits = "    depends_on: {doomed: {condition: service_healthy}}\n"
    add(small, "web", command=SLEEP, extra=waits, block="  depends: [doomed]\n")
    assert small.call("up", "--timeout", "60").code == 6
    problem = only(small.call("why", "web", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("doomed", "crash-loop")
    assert "exit code 3" in problem["summary"]
    assert "log: ERROR cannot find my keys" in facts(problem)
    assert "starting" not in facts(problem), "only what is bad is shown"
    assert suffering(problem) == {"web"}
    assert only(small.call("why", "--json"))["subject"]["name"] == "doomed"


def test_an_unhealthy_dependency_is_blamed_and_not_its_dependant(small: Project) -> None:
    add(small, "sick", command="sleep infinity", health="echo the doctor is out; exit 1")
    waits = "    depends_on: {sick: {condition: service_healthy}}\n"
    add(small, "web", command=SLEEP, extra=waits, block="  depends: [sick]\n")
    assert small.call("up", "--timeout", "60").code == 6
    problem = only(small.call("why", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("sick", "unhealthy")
    assert "health check: the doctor is out" in facts(problem)
    assert "web" in suffering(problem)
    assert problem["ruled_out"]


def test_an_image_that_cannot_be_had_is_a_problem_of_its_service(small: Project) -> None:
    add(small, "web", command=SLEEP)
    add(small, "gone", image="registry.invalid/none:1")
    assert small.call("up").code == 0
    problem = only(small.call("why", "--json"))
    assert (problem["subject"]["name"], problem["cause"]) == ("gone", "image-missing")
    assert "registry.invalid/none:1" in facts(problem)
    assert problem["actions"][0]["command"] == "dataflow up --pull"


def test_what_changed_since_it_was_started_is_named(small: Project) -> None:
    add(small, "sick", command="sleep infinity", health="echo the doctor is out; exit 1")
    assert small.call("up", "--timeout", "60").code == 6
    small.write("compose.override.yaml", "services: {sick: {environment: {COLOUR: blue}}}\n")
    problem = only(small.call("why", "sick", "--json"))
    assert "changed since: COLOUR changed (compose.override.yaml)" in facts(problem)


def test_a_stopped_and_a_paused_container(small: Project) -> None:
    add(small, "web", command=SLEEP)
    add(small, "other", command=SLEEP)
    assert small.call("up").code == 0
    assert small.call("why", "--json").code == 0
    assert small.call("stop", "web").code == 0
    problem = only(small.call("why", "--json"))
    assert (problem["cause"], problem["summary"]) == ("stopped", "web was stopped by hand.")
    name = container(small, "other")
    docker("pause", name)
    found = {one["subject"]["name"]: one["cause"] for one in small.call("why", "--json").data["problems"]}
    docker("unpause", name)
    assert found == {"web": "stopped", "other": "paused"}


def test_a_volume_that_was_made_with_another_password(stored: Project) -> None:
    assert stored.call("why", "postgres", "--json").code == 0
    change_password(stored)
    called = stored.call("why", "postgres", "--json")
    problem = only(called)
    assert problem["cause"] == "bad-password"
    assert "DATAFLOW_POSTGRES_PASSWORD" in facts(problem)
    assert "another-one" not in called.out
    assert problem["actions"][0]["command"] == "dataflow up --stale-volume alter"
    assert stored.call("down").code == 0
    assert "bad-password" in {one["cause"] for one in stored.call("why", "--json").data["problems"]}
    assert stored.call("up", "postgres", "--stale-volume", "alter").code == 0
    assert stored.call("why", "postgres", "--json").code == 0


def test_a_password_that_only_the_health_check_knows_to_be_wrong(stored: Project) -> None:
    stored.call("down")
    change_password(stored)
    (stored.root / ".dataflow" / "stack.json").unlink()
    assert stored.call("up", "postgres", "--timeout", "60").code == 4
    problem = only(stored.call("why", "postgres", "--json"))
    assert problem["cause"] == "bad-password"
    assert "password authentication failed" in facts(problem)
