from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.config.services import load_catalog, selected
from dataflow.config.settings import load
from dataflow.errors import ConfigurationError, UsageError


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "dataflow.toml").write_text("")
    return ProjectPaths(tmp_path)


def add(paths: ProjectPaths, name: str, block: str) -> None:
    folder = paths.services / name
    folder.mkdir(parents=True)
    (folder / "compose.yaml").write_text(f"x-dataflow:\n  label: {name}\n  group: application\n{block}")


def test_the_shipped_services_come_dependencies_first(paths: ProjectPaths) -> None:
    names = list(load_catalog(paths))
    assert names.index("dagster-code") < names.index("dagster-webserver")
    assert {"object-store", "dagster-daemon"} <= set(names)


def test_a_project_adds_a_service_by_adding_a_folder(paths: ProjectPaths) -> None:
    add(paths, "mine", "  depends: [object-store]\n  ports: {http: 9000}\n")
    catalog = load_catalog(paths)
    assert list(catalog).index("object-store") < list(catalog).index("mine")
    assert "mine" in selected(catalog, load(paths, flags={}, environ={}).settings)


def test_a_service_of_another_profile_is_left_out_until_it_is_asked_for(paths: ProjectPaths) -> None:
    add(paths, "mine", "  profile: extra\n")
    catalog = load_catalog(paths)
    assert "mine" not in selected(catalog, load(paths, flags={}, environ={}).settings)
    assert "mine" in selected(catalog, load(paths, flags={"profiles": ("extra",)}, environ={}).settings)
    paths.config.write_text("[services.mine]\nenabled = true\n")
    assert "mine" in selected(catalog, load(paths, flags={}, environ={}).settings)


def test_a_service_can_be_switched_off(paths: ProjectPaths) -> None:
    paths.config.write_text("[services.dagster-daemon]\nenabled = false\n")
    assert "dagster-daemon" not in selected(load_catalog(paths), load(paths, flags={}, environ={}).settings)


def test_an_unknown_service_in_the_settings_gets_a_did_you_mean(paths: ProjectPaths) -> None:
    paths.config.write_text("[services.dagster-deamon]\nenabled = false\n")
    with pytest.raises(UsageError) as caught:
        selected(load_catalog(paths), load(paths, flags={}, environ={}).settings)
    assert caught.value.hint == "Did you mean 'dagster-daemon'?"


def test_a_wrong_key_in_a_service_has_a_place(paths: ProjectPaths) -> None:
    add(paths, "mine", "  prots: {http: 9000}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_catalog(paths)
    assert caught.value.place
    assert caught.value.place.line == 4
    assert caught.value.hint == "Did you mean 'ports'?"


def test_dependencies_in_a_circle_are_refused(paths: ProjectPaths) -> None:
    add(paths, "one", "  depends: [two]\n")
    add(paths, "two", "  depends: [one]\n")
    with pytest.raises(ConfigurationError, match="circle") as caught:
        load_catalog(paths)
    assert caught.value.code == "DEPENDENCY_CIRCLE"
