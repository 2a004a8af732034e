"""The other object store and the other log collector: each the real one, with the same job done on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import Project
from tests.engine import collected
from tests.engine.conftest import container, inspect, remove, services


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A platform with MinIO and Promtail, and a Postgres database for workflow code, baked."""
    parent = Project(tmp_path_factory.mktemp("choices"), engine="docker")
    assert parent.call("init", "chosen").code == 0
    project = replace(parent, root=parent.root / "chosen")
    toml = project.root / "dataflow.toml"
    choices = 'object_store = "minio"\nlog_collector = "promtail"\ncode = "baked"\nbuckets = ["lake", "extra-bucket"]\n'
    toml.write_text(f"{choices}{toml.read_text()}\n[warehouse]\npostgres = true\n")
    try:
        called = project.call("up", "log-collector", "dagster-webserver", "dagster-daemon", "--json", timeout=600)
        assert called.code == 0, called.out
        assert any("Promtail has had no updates since March 2026" in text for text in called.json["warnings"])
        yield project
    finally:
        project.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        remove(project)


def test_minio_and_promtail_run_and_are_healthy(chosen: Project) -> None:
    found = services(chosen)
    assert found["object-store"]["image"].startswith("quay.io/minio/minio:")
    assert found["log-collector"]["image"].startswith("grafana/promtail:")
    assert {found[name]["health"] for name in ("object-store", "log-collector", "loki")} == {"healthy"}
    assert {port["name"] for port in found["object-store"]["ports"]} == {"s3", "console"}


def test_the_example_runs_on_minio(chosen: Project) -> None:
    ran = chosen.call("workflow", "run", "nightscout", timeout=400)
    assert ran.code == 0, ran.err
    assert chosen.call("data", "query", "select count(*) from marts.nightscout_daily", "--json").data["rows"] == [[90]]
    objects = chosen.call("storage", "ls", "lake", "--json").data["objects"]
    assert any(item["place"].endswith(".parquet") for item in objects)


def test_the_buckets_of_the_settings_are_there(chosen: Project) -> None:
    buckets = {item["place"] for item in chosen.call("storage", "ls", "--json").data["objects"]}
    assert {"lake", "extra-bucket"} <= buckets


def test_promtail_sends_the_same_as_alloy(chosen: Project) -> None:
    collected.check(chosen)


def test_baked_workflows_are_in_the_image_and_not_mounted(chosen: Project) -> None:
    facts = inspect(container(chosen, "dagster-code"))
    assert facts["Config"]["Image"].startswith("dataflow-baked:")
    assert not [mount for mount in facts["Mounts"] if mount["Destination"] == "/project/workflows"]
    assert "dagster_job.py" in chosen.call("exec", "--", "ls", "/project/workflows/nightscout").out


def test_a_changed_workflow_is_in_the_next_image_and_the_plan_says_so(chosen: Project) -> None:
    path = chosen.root / "workflows" / "nightscout" / "README.md"
    path.write_text(path.read_text() + "\nChanged.\n")
    planned = chosen.call("up", "dagster-daemon", "--dry-run", "--json").data
    assert [image["verb"] for image in planned["images"]] == ["build"]
    causes = {action["service"]: action["cause"] for action in planned["actions"] if action["verb"] == "recreate"}
    assert set(causes) == {"dagster-code", "dagster-daemon"}
    assert set(causes.values()) == {"image changed (the workflows)"}


def test_workflow_code_and_the_host_reach_the_postgres_warehouse(chosen: Project) -> None:
    code = (
        "import os, psycopg; "
        "connection = psycopg.connect(os.environ['DATAFLOW_POSTGRES_DSN']); "
        "print(connection.execute('select 42').fetchone())"
    )
    assert chosen.call("exec", "--", "python", "-c", code).out.strip() == "(42,)"
    from dataflow.operations.context import Context

    dsn = Context.at(chosen.root, {"engine": "docker"}).engine.environment()["DATAFLOW_POSTGRES_DSN"]
    assert "@127.0.0.1:" in dsn
    import psycopg

    with psycopg.connect(dsn) as connection:
        assert connection.execute("select current_database()").fetchone() == ("warehouse",)


def test_a_backup_of_minio_restores(chosen: Project) -> None:
    made = chosen.call("backup", "create", "--json", timeout=400)
    assert made.code == 0, made.out
    parts = {part["name"]: part["facts"] for part in made.data["parts"]}
    assert parts["objects"]["objects"] >= 2
    restored = chosen.call("backup", "restore", made.data["id"], "--yes", "--no-snapshot", "--json", timeout=400)
    assert restored.code == 0, restored.out
    for part in restored.data["parts"]:
        if part["now"] is not None:
            assert part["now"] == part["facts"], part["name"]
