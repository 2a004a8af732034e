"""New images: planned, brought up, and taken back when they do not become healthy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.engine.conftest import IMAGE, ONLY_OWN, add, compose_name, container, docker, inspect, services

NAME = "dataflow-upgrade-test"


@pytest.fixture
def images(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Three versions of an image: two that work, one that ends at once."""
    made: dict[str, str] = {}
    for tag, line in (
        ("1", "RUN true"),
        ("2", "RUN touch /two"),
        ("3", 'ENTRYPOINT ["sh", "-c", "echo broken; exit 9"]'),
    ):
        (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nLABEL version={tag}\n{line}\n")
        made[tag] = docker("build", "-q", "-t", f"{NAME}:{tag}", str(tmp_path))
    yield made
    docker("rmi", "-f", *(f"{NAME}:{tag}" for tag in made), check=False)


@pytest.fixture
def served(small: Project, images: dict[str, str]) -> Project:
    add(small, "web", command="touch /tmp/ready; sleep infinity", image=f"${{DATAFLOW_SERVICES_WEB_IMAGE:-{NAME}:1}}")
    assert small.call("up").code == 0
    return small


def choose(project: Project, tag: str) -> None:
    project.write("dataflow.toml", f'{ONLY_OWN}\n[services.web]\nimage = "{NAME}:{tag}"\n')


def image_of(project: Project) -> str:
    return inspect(container(project, "web"))["Image"]


def test_a_dry_run_tells_old_and_new_and_changes_nothing(served: Project, images: dict[str, str]) -> None:
    choose(served, "2")
    called = served.call("upgrade", "--dry-run", "--json")
    assert called.code == 0, called.out
    (version,) = called.data["versions"]
    assert (f"{NAME}:1" in version["before"], f"{NAME}:2" in version["after"]) == (True, True)
    assert image_of(served) == images["1"]


def test_an_upgrade_backs_up_and_brings_the_new_image_up(served: Project, images: dict[str, str]) -> None:
    choose(served, "2")
    called = served.call("upgrade", "--json")
    assert called.code == 0, called.out
    assert image_of(served) == images["2"]
    listed = served.call("backup", "list", "--json").data["backups"]
    assert [item["id"] for item in listed] == [called.data["backup"]]
    assert "Everything is as new as it can be had" in served.call("upgrade").out


def test_an_image_that_does_not_come_up_is_taken_back_by_itself(served: Project, images: dict[str, str]) -> None:
    choose(served, "3")
    called = served.call("upgrade", "--json", "--timeout", "30", timeout=400)
    assert (called.code, called.error["code"]) == (6, "UPGRADE_RETURNED")
    assert "everything is as it was before" in called.error["message"]
    assert "broken" in called.error["hint"]
    assert image_of(served) == images["1"]
    assert services(served)["web"]["health"] == "healthy"
    # It stays so, until somebody tries again.
    again = served.call("up", "--json")
    assert {action["verb"] for action in again.data["actions"]} == {"keep"}
    assert any("The last upgrade was undone: web" in warning for warning in again.json["warnings"])
    assert f"dataflow-held:{compose_name(served)}.web" in docker("images", "--format", "{{.Repository}}:{{.Tag}}")
    choose(served, "2")
    assert served.call("upgrade").code == 0
    assert image_of(served) == images["2"]
    assert compose_name(served) not in docker("images", "--format", "{{.Repository}}:{{.Tag}}")
