from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflow.config.catalog import Catalog, load_catalog, load_services, profiles, selected
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import read_service
from dataflow.config.settings import Settings, load
from dataflow.errors import ConfigurationError, UsageError


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "dataflow.toml").write_text("")
    return ProjectPaths(tmp_path)


def add(paths: ProjectPaths, name: str, block: str) -> None:
    folder = paths.services / name
    folder.mkdir(parents=True)
    (folder / "compose.yaml").write_text(f"x-dataflow:\n  label: {name}\n  group: application\n{block}")


def settings(paths: ProjectPaths, **flags: object) -> Settings:
    return load(paths, flags=flags, environ={}).settings


def catalog(paths: ProjectPaths, **flags: object) -> Catalog:
    return load_catalog(paths, settings(paths, **flags))


def test_the_shipped_services_come_dependencies_first(paths: ProjectPaths) -> None:
    names = list(catalog(paths))
    assert names.index("dagster-code") < names.index("dagster-webserver")
    assert {"object-store", "dagster-daemon", "postgres", "loki", "prometheus", "grafana"} <= set(names)


def test_a_project_adds_a_service_by_adding_a_folder(paths: ProjectPaths) -> None:
    add(paths, "mine", "  depends: [object-store]\n  ports: {http: 9000}\n")
    found = catalog(paths)
    assert list(found).index("object-store") < list(found).index("mine")
    assert "mine" in selected(found, settings(paths), "native")


def test_a_service_of_another_profile_is_left_out_until_it_is_asked_for(paths: ProjectPaths) -> None:
    add(paths, "mine", "  profile: extra\n")
    found = catalog(paths)
    assert "mine" not in selected(found, settings(paths), "native")
    assert "mine" in selected(found, settings(paths, profiles=("extra",)), "native")
    assert "mine" in selected(found, settings(paths), "native", ["all"])
    paths.config.write_text("[services.mine]\nenabled = true\n")
    assert "mine" in selected(found, settings(paths), "native")
    assert "extra" in profiles(load_services(paths))


def test_the_profiles_of_a_container_stand_in_its_compose_half(paths: ProjectPaths) -> None:
    found = catalog(paths)
    assert set(found["loki"].profiles) == {"observability", "dashboards"}
    assert found["grafana"].profiles == ("dashboards",)
    assert found["postgres"].profiles == ("default",)
    assert {"loki", "prometheus", "grafana"} <= set(selected(found, settings(paths), "docker", ["dashboards"]))
    assert "loki" not in selected(found, settings(paths), "docker")


def test_what_only_containers_do_is_not_missed_natively(paths: ProjectPaths) -> None:
    names = set(selected(catalog(paths), settings(paths), "native", ["all"]))
    assert names.isdisjoint({"postgres", "bucket-init", "dagster-migrate", "loki"})
    assert {"object-store", "dagster-daemon"} <= names


@pytest.mark.parametrize(("value", "image"), [("seaweedfs", "seaweedfs:"), ("minio", "quay.io/minio/minio:")])
def test_one_of_two_services_of_a_name_is_picked(paths: ProjectPaths, value: str, image: str) -> None:
    container = catalog(paths, object_store=value)["object-store"].container
    assert container
    assert image in (container.image or "")


def test_a_choice_that_an_engine_does_not_have_is_refused(paths: ProjectPaths) -> None:
    found = catalog(paths, object_store="minio")
    with pytest.raises(UsageError) as caught:
        selected(found, settings(paths, object_store="minio"), "native")
    assert caught.value.code == "SERVICE_UNKNOWN"
    assert "--engine docker" in (caught.value.hint or "")


def test_published_ports_are_those_whose_variable_the_compose_half_reads(paths: ProjectPaths) -> None:
    found = catalog(paths)
    store = found["object-store"]
    assert store.container
    assert store.container.published == {"s3": 8333}
    assert store.port_variable("s3") == "DATAFLOW_SERVICES_OBJECT_STORE_PORT"
    assert found["grafana"].container
    assert found["grafana"].container.published == {"http": 3000}
    assert not found["dagster-code"].reaches("http://127.0.0.1:{{grpc}}")


def test_what_was_read_of_the_files_is_kept_until_one_changes(paths: ProjectPaths) -> None:
    paths.run.mkdir(parents=True)
    add(paths, "mine", "  ports: {http: 9000, admin: 9001}\n")
    first = catalog(paths)
    assert (paths.run / "services.json").is_file()
    assert catalog(paths) == first
    assert list(catalog(paths)["mine"].ports) == ["http", "admin"]
    (paths.services / "mine" / "compose.yaml").write_text("x-dataflow:\n  label: other\n  group: application\n")
    assert catalog(paths)["mine"].label == "other"
    (paths.run / "services.json").write_text('{"key": "x"')
    assert catalog(paths)["mine"].label == "other"


def test_what_was_read_of_shipped_files_serves_every_project(paths: ProjectPaths, monkeypatch: Any) -> None:
    first = catalog(paths)
    monkeypatch.setattr("dataflow.config.catalog.read_service", lambda file: pytest.fail(f"read {file} again"))
    assert catalog(paths) == first
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr("dataflow.config.catalog.read_service", read_service)
    assert catalog(paths) == first, "nobody can write there: it is only a cache"


def test_a_service_can_be_switched_off(paths: ProjectPaths) -> None:
    paths.config.write_text("[services.dagster-daemon]\nenabled = false\n")
    assert "dagster-daemon" not in selected(catalog(paths), settings(paths), "native")


def test_an_unknown_service_in_the_settings_gets_a_did_you_mean(paths: ProjectPaths) -> None:
    paths.config.write_text("[services.dagster-deamon]\nenabled = false\n")
    with pytest.raises(UsageError) as caught:
        catalog(paths)
    assert caught.value.hint == "Did you mean 'dagster-daemon'?"


def test_a_wrong_key_in_a_service_has_a_place(paths: ProjectPaths) -> None:
    add(paths, "mine", "  prots: {http: 9000}\n")
    with pytest.raises(ConfigurationError) as caught:
        catalog(paths)
    assert caught.value.place
    assert caught.value.place.line == 4
    assert caught.value.hint == "Did you mean 'ports'?"


def test_dependencies_in_a_circle_are_refused(paths: ProjectPaths) -> None:
    add(paths, "one", "  depends: [two]\n")
    add(paths, "two", "  depends: [one]\n")
    with pytest.raises(ConfigurationError, match="circle") as caught:
        catalog(paths)
    assert caught.value.code == "DEPENDENCY_CIRCLE"
