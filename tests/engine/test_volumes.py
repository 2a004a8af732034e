"""A Postgres volume that does not fit: another password, another major version. Explained, and cured three ways."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.engine.conftest import compose_name, container, containers, docker, remove, services

OLD = "postgres:16"


@pytest.fixture
def stored(stored: Project) -> Project:
    """The same with a table in it."""
    sql(stored, "create table kept as select generate_series(1, 100) as n")
    return stored


def sql(project: Project, text: str, database: str = "warehouse") -> str:
    command = ["psql", "-qAtX", "-U", "dataflow", "-d", database, "-c", text]
    return docker("exec", container(project, "postgres"), *command)


def change_password(project: Project) -> None:
    env = project.root / ".env"
    lines = env.read_text().splitlines(keepends=True)
    env.write_text(
        "".join("DATAFLOW_POSTGRES_PASSWORD=another-one\n" if "POSTGRES_PASSWORD" in line else line for line in lines)
    )


def test_a_changed_password_is_told_before_anything_starts(stored: Project) -> None:
    change_password(stored)
    called = stored.call("up", "postgres", "--json")
    assert (called.code, called.error["code"]) == (4, "VOLUME_PASSWORD")
    assert f"{compose_name(stored)}_postgres" in called.error["message"]
    offered = [action["command"] for action in called.error["actions"]]
    assert offered == ["dataflow up --stale-volume alter", "dataflow up --stale-volume recreate"]
    assert containers(stored) == {"postgres": "running"}, "what runs goes on as it was"


def test_alter_gives_the_volume_the_password_of_now_and_keeps_the_data(stored: Project) -> None:
    change_password(stored)
    called = stored.call("up", "postgres", "--stale-volume", "alter", "--json")
    assert called.code == 0, called.out
    assert services(stored)["postgres"]["health"] == "healthy"
    assert sql(stored, "select count(*) from kept") == "100"
    assert stored.call("up", "postgres", "--json").data["actions"][0]["verb"] == "keep"


def test_recreate_keeps_a_copy_of_the_old_volume(stored: Project) -> None:
    change_password(stored)
    called = stored.call("up", "postgres", "--stale-volume", "recreate", "--json")
    assert called.code == 0, called.out
    assert services(stored)["postgres"]["health"] == "healthy"
    (copy,) = (stored.root / ".dataflow" / "backups").glob("*_postgres-*.tar")
    listed = subprocess.run(["tar", "-tf", str(copy)], capture_output=True, text=True, check=True).stdout
    assert "volume/PG_VERSION" in listed
    assert sql(stored, "select count(*) from pg_tables where tablename = 'kept'") == "0"


def test_a_volume_that_nothing_is_remembered_of_is_found_out_by_the_health_check(stored: Project) -> None:
    stored.call("down")
    change_password(stored)
    (stored.root / ".dataflow" / "stack.json").unlink()
    called = stored.call("up", "postgres", "--json", "--timeout", "60")
    assert (called.code, called.error["code"]) == (4, "VOLUME_PASSWORD"), called.out
    assert stored.call("up", "postgres", "--stale-volume", "alter").code == 0
    assert sql(stored, "select count(*) from kept") == "100"


# The published image's contract, as far as it is needed here.
START = r"""#!/bin/sh
set -e
as() { su postgres -s /bin/sh -c "$1"; }
mkdir -p "$PGDATA"; chown -R postgres "$PGDATA"; chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/pw; chmod 644 /tmp/pw
  as "initdb -U $POSTGRES_USER --pwfile=/tmp/pw --auth-local=trust --auth-host=scram-sha-256 -D $PGDATA" >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  as "pg_ctl -D $PGDATA -o \"-c listen_addresses='' -k /tmp\" -w start" >/dev/null
  for name in dagster warehouse; do
    psql -h /tmp -qX -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE $name"
  done
  as "pg_ctl -D $PGDATA -m fast -w stop" >/dev/null
fi
exec su postgres -s /bin/sh -c "exec postgres -D $PGDATA -k /tmp -c listen_addresses='*'"
"""
FILL = """
create role analyst;
create table kept as select generate_series(1, 100) as n;
grant select on kept to analyst;
"""


@pytest.fixture(scope="session")
def old_postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real Postgres 16 as an image: from the package that brings its programs, where no registry has the image."""
    pgserver = pytest.importorskip("pgserver", reason="brings Postgres 16; no wheels for Python 3.13")
    package = Path(pgserver.__file__).parent
    if OLD in docker("images", "--format", "{{.Repository}}:{{.Tag}}").split():
        return OLD
    folder = tmp_path_factory.mktemp("image")
    (folder / "start").write_text(START)
    (folder / "Dockerfile").write_text(
        "FROM postgres:17\nCOPY programs /opt\nCOPY start /start\nRUN chmod +x /start\n"
        "ENV PATH=/opt/pgserver/pginstall/bin:/usr/bin:/bin:/usr/sbin:/sbin PGHOST=/tmp\n"
        'ENTRYPOINT ["/start"]\n'
    )
    (folder / "programs").mkdir()
    for part in (package, package.with_name("pgserver.libs")):
        subprocess.run(["cp", "-r", str(part), str(folder / "programs")], check=True)
    docker("build", "-q", "-t", OLD, str(folder))
    return OLD


@pytest.fixture
def aged(tmp_path: Path, old_postgres: str) -> Iterator[Project]:
    """A project whose volume was made by Postgres 16, with data and a role of the user's."""
    root = tmp_path / "aged"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("")
    project = Project(root, engine="docker")
    volume = f"{compose_name(project)}_postgres"
    labels = [f"com.docker.compose.project={compose_name(project)}", "com.docker.compose.volume=postgres"]
    docker("volume", "create", *(part for label in labels for part in ("--label", label)), volume)
    env = [
        part
        for pair in ("POSTGRES_USER=dataflow", "POSTGRES_DB=dagster", "POSTGRES_PASSWORD=of-then")
        for part in ("-e", pair)
    ]
    server = docker("run", "-d", *env, "-v", f"{volume}:/var/lib/postgresql/data", old_postgres)
    try:
        for _ in range(100):
            done = subprocess.run(
                ["docker", "exec", server, "psql", "-qX", "-U", "dataflow", "-d", "warehouse", "-c", FILL],
                capture_output=True, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                break
            subprocess.run(["sleep", "0.2"], check=True)
        assert done.returncode == 0, done.stderr
    finally:
        docker("stop", server)
        docker("rm", server)
    yield project
    project.call("down")
    remove(project)


def test_a_volume_of_another_major_is_told_and_not_touched(aged: Project) -> None:
    called = aged.call("up", "postgres", "--json")
    assert (called.code, called.error["code"]) == (4, "VOLUME_VERSION")
    assert "made by Postgres 16; the image is 17" in called.error["message"]
    assert containers(aged).get("postgres") in (None, "created")


def test_migrate_carries_every_database_and_role_over_and_keeps_a_copy(aged: Project) -> None:
    called = aged.call("up", "postgres", "--stale-volume", "migrate", "--json", timeout=400)
    assert called.code == 0, called.out
    assert sql(aged, "show server_version").startswith("17")
    assert sql(aged, "select count(*), sum(n) from kept") == "100|5050"
    grants = sql(aged, "select grantee from information_schema.role_table_grants where table_name = 'kept'")
    assert set(grants.split()) == {"analyst", "dataflow"}
    assert len(list((aged.root / ".dataflow" / "backups").glob("*.tar"))) == 2
    known = json.loads((aged.root / ".dataflow" / "stack.json").read_text())["volumes"]["postgres"]
    assert known["major"] == "17"
    assert aged.call("down", "--volumes", "--yes", "--no-snapshot").code == 0
    assert compose_name(aged) not in docker("volume", "ls", "-q")
