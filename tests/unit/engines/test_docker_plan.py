"""The plan for containers: what happens to each, and the cause that people read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dataflow.engines.docker_plan import Causes, applied, needed, plan_actions, plan_images
from dataflow.engines.facts import ContainerFacts, facts_of
from dataflow.engines.model import Model, ServiceModel

STORE = ServiceModel("h1", "store:1", parts={"image": "a", "file store.json": "f"})
JOB = ServiceModel("h2", "job:1", depends={"store": "service_healthy"}, parts={"image": "b"})
WEB = ServiceModel(
    "h3",
    "web:1",
    depends={"job": "service_completed_successfully"},
    parts={"environment.LEVEL": "c", "secret KEY": "d"},
)
MODEL: Model = {"web": WEB, "job": JOB, "store": STORE}
IMAGES = {"store:1": "sha256:s", "job:1": "sha256:j", "web:1": "sha256:w"}
ORDER = ["store", "job", "web"]


def container(name: str, **changes: Any) -> ContainerFacts:
    facts = facts_of(
        {
            "Id": name,
            "Name": f"/{name}",
            "Image": IMAGES[f"{name}:1"],
            "State": {"Status": "running", "Pid": 5},
            "Config": {"Labels": {"com.docker.compose.config-hash": MODEL[name].hash}},
        }
    )
    return replace(facts, **changes)


def running() -> dict[str, ContainerFacts]:
    return {
        "store": container("store"),
        "job": container("job", state="exited", pid=None),
        "web": container("web"),
    }


APPLIED = {name: applied(MODEL[name], found) for name, found in running().items()}


def plan(
    containers: dict[str, ContainerFacts], model: Model = MODEL, causes: Causes | None = None, **more: Any
) -> dict[str, tuple[str, str]]:
    images = more.get("images", IMAGES)
    actions = plan_actions(
        ORDER, model, containers, images, {"job"}, more.get("absent", {}), causes or Causes(APPLIED, {})
    )
    assert [action.service for action in actions] == ORDER
    return {action.service: (action.verb, action.cause) for action in actions}


def test_what_a_service_needs_comes_first() -> None:
    assert needed(MODEL, ["web"]) == ORDER
    assert needed(MODEL, ["store", "not there"]) == ["store"]


def test_everything_is_created_where_nothing_is() -> None:
    assert set(plan({}).values()) == {("create", "it is not there")}


def test_what_runs_as_it_should_is_kept_and_a_job_that_is_done_is_left() -> None:
    assert plan(running()) == {
        "store": ("keep", "it runs as it should"),
        "job": ("keep", "it has done its work"),
        "web": ("keep", "it runs as it should"),
    }


def test_a_changed_key_is_named_with_where_it_comes_from() -> None:
    changed = {**MODEL, "web": replace(WEB, hash="other", parts={**WEB.parts, "environment.LEVEL": "z"})}
    causes = Causes(APPLIED, {"web": ["dataflow.toml"]})
    assert plan(running(), changed, causes)["web"] == ("recreate", "LEVEL changed (dataflow.toml)")


def test_a_secret_that_compose_does_not_see_makes_the_container_anew() -> None:
    changed = {**MODEL, "web": replace(WEB, parts={**WEB.parts, "secret KEY": "z"})}
    assert plan(running(), changed)["web"] == ("recreate", "KEY changed")


def test_a_mounted_file_is_read_again_by_a_restart_and_jobs_that_depend_on_it_work_again() -> None:
    changed = {**MODEL, "store": replace(STORE, parts={**STORE.parts, "file store.json": "z"})}
    found = plan(running(), changed)
    assert found["store"] == ("restart", "store.json changed")
    assert found["job"] == ("start", "store starts anew")
    assert found["web"][0] == "keep"


def test_a_new_image_under_the_same_name_is_a_cause() -> None:
    found = plan(running(), images={**IMAGES, "web:1": "sha256:new"})
    assert found["web"] == ("recreate", "the image web:1 is another one now")


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("web", {"state": "exited", "pid": None}, ("start", "it is exited")),
        ("web", {"state": "paused"}, ("start", "it is paused")),
        ("web", {"state": "restarting"}, ("keep", "it runs as it should")),
        ("job", {"state": "exited", "exit_code": 1}, ("start", "it did not finish")),
        ("job", {"state": "running"}, ("keep", "it is at work")),
        ("web", {"config_hash": "by hand"}, ("recreate", "it was made with another configuration")),
    ],
)
def test_containers_that_are_not_as_they_should_be(
    name: str, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    found = running()
    found[name] = replace(found[name], **changes)
    causes = Causes({}, {}) if "config_hash" in changes else Causes(APPLIED, {})
    assert plan(found, causes=causes)[name] == expected


def test_a_service_whose_image_cannot_be_had_is_left_out() -> None:
    assert plan({}, absent={"web": "web:1 cannot be had"})["web"] == ("skip", "web:1 cannot be had")


def test_images_that_are_missing_are_pulled_or_built() -> None:
    def found(images: dict[str, str], **flags: bool) -> list[tuple[str, str, str]]:
        options = {"build": False, "pull": False} | flags
        actions = plan_images(ORDER, MODEL, images, {}, {"web:1": "the toolkit is another one"}, **options)
        return [(action.image, action.verb, action.cause) for action in actions]

    assert found(IMAGES) == []
    assert found({"store:1": "s"}) == [
        ("job:1", "pull", "it is not here"),
        ("web:1", "build", "the toolkit is another one"),
    ]
    assert found(IMAGES, build=True) == [("web:1", "build", "asked for")]
    assert found(IMAGES, pull=True) == [("store:1", "pull", "asked for"), ("job:1", "pull", "asked for")]
