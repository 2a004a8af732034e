"""From engine to engine and from project to project: no row, object or run is lost, proven by counts and digests."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Called, Project, add_workflow
from tests.engine.conftest import compose_name, containers, docker, eventually, remove

ADDS = """\
from dataflow.shared import db
    with db.write_connection() as connection:
        connection.execute("create table if not exists main.worked (day date)")
        connection.execute("insert into main.worked values (current_date)")"""
NATIVE, DOCKER = {"DATAFLOW_ENGINE": "native"}, {"DATAFLOW_ENGINE": "docker"}


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that begins natively, with a run, an object and a row of its own. No engine is configured."""
    project = Project(tmp_path_factory.mktemp("switch") / "travelled", engine="")
    project.write("dataflow.toml", "")
    add_workflow(project, "adding", body=ADDS)
    try:
        assert project.call("up", timeout=400, **NATIVE).code == 0
        assert project.call("workflow", "run", "adding", timeout=400).code == 0
        project.write("note.txt", "grüße")
        assert project.call("storage", "put", "note.txt", "lake/notes/ümlaut & space.txt").code == 0
        # Dagster writes this event by itself, some time after a first run: from then on the history stands still.
        eventually(lambda: "FRESHNESS_STATE_CHANGE" in own_events(project), 90, "Dagster has judged the asset")
        sql = "create table main.mine as select range as n, 'it''s' as word from range(1000)"
        assert project.call("data", "query", sql, "--write").code == 0
        yield project
    finally:
        project.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        for engine in (NATIVE, DOCKER):
            project.call("down", timeout=400, **engine)
        remove(project)


def own_events(project: Project) -> list[str]:
    """The kinds of events in Dagster's index."""
    path = project.root / ".dataflow" / "dagster" / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return [row[0] for row in connection.execute("select dagster_event_type from event_logs")]


def parts(called: Called) -> dict[str, dict[str, Any]]:
    return {part["name"]: part["facts"] for part in called.data["parts"]}


def backup(project: Project) -> tuple[str, dict[str, dict[str, Any]]]:
    made = project.call("backup", "create", "--json", timeout=400)
    assert made.code == 0, made.out
    return made.data["path"], parts(made)


def runs(project: Project) -> list[tuple[str, str, str, str]]:
    found = project.call("workflow", "runs", "--json").data["runs"]
    return [(run["id"], run["state"], run["created"], run["ended"]) for run in found]


def switched(project: Project, engine: str) -> dict[str, Any]:
    called = project.call("engine", "switch", engine, "--json", timeout=400)
    assert called.code == 0, called.out
    for part in called.data["parts"]:
        assert part["before"] == part["after"], part["name"]
    return {part["name"]: part["after"] for part in called.data["parts"]}


def test_there_and_back_again_nothing_is_lost(travelled: Project) -> None:
    before = runs(travelled)
    on_native = backup(travelled)[1]
    assert on_native["objects"]["objects"] == 1
    carried = switched(travelled, "docker")
    assert {name: carried[name] for name in ("warehouse", "objects", "history")} == {
        name: on_native[name] for name in ("warehouse", "objects", "history")
    }
    assert travelled.call("status", "--json").data["engine"]["name"] == "docker"
    assert "dagster-webserver" in containers(travelled)
    assert runs(travelled) == before
    assert travelled.call("storage", "get", "lake/notes/ümlaut & space.txt", "back.txt", "--replace").code == 0
    assert (travelled.root / "back.txt").read_text() == "grüße"
    logs = travelled.call("workflow", "logs", before[0][0][:8])
    assert "snapshot published" in logs.out, "logs of runs come along"

    # Work goes on there, and only adds.
    ran = travelled.call("workflow", "run", "adding", timeout=400)
    assert ran.code == 0, ran.err
    after = runs(travelled)
    assert after[1:] == before
    on_docker = backup(travelled)[1]
    assert on_docker["objects"] == on_native["objects"]
    assert on_docker["history"]["runs"] == on_native["history"]["runs"] + 1

    carried = switched(travelled, "native")
    assert carried["history"] == on_docker["history"]
    assert runs(travelled) == after
    assert containers(travelled) == {}
    sql = "select count(*), sum(n), (select count(*) from main.worked) from main.mine"
    assert travelled.call("data", "query", sql, "--json").data["rows"] == [[1000, 499500, 2]]
    # Pools, schedules and all else still work on what was carried over.
    assert travelled.call("workflow", "run", "adding", timeout=400).code == 0


def test_a_backup_of_one_engine_restores_on_the_other_into_an_empty_project(travelled: Project, tmp_path: Path) -> None:
    path, held = backup(travelled)
    empty = Project(tmp_path / "empty", engine="docker")
    (empty.root / "workflows").mkdir(parents=True)
    (empty.root / "dataflow.toml").write_text("")
    try:
        planned = empty.call("backup", "restore", path, "--dry-run", "--json")
        assert planned.code == 0, planned.out
        assert not (empty.root / ".dataflow" / "stack.json").exists()
        restored = empty.call("backup", "restore", path, "--yes", "--json", timeout=400)
        assert restored.code == 0, restored.out
        now = {part["name"]: part["now"] for part in restored.data["parts"]}
        for name in ("warehouse", "objects", "history"):
            assert now[name] == held[name], name
        # And out of that engine again, into an empty project of the first one.
        assert empty.call("up", "dagster-webserver", "dagster-daemon", timeout=400).code == 0
        assert len(runs(empty)) == held["history"]["runs"]
        there, again = backup(empty)
        assert {name: again[name] for name in ("warehouse", "objects", "history")} == {
            name: held[name] for name in ("warehouse", "objects", "history")
        }
        last = Project(tmp_path / "last")
        (last.root / "workflows").mkdir(parents=True)
        (last.root / "dataflow.toml").write_text("")
        back = last.call("backup", "restore", there, "--yes", "--json", timeout=400)
        assert back.code == 0, back.out
        assert {part["name"]: part["now"] for part in back.data["parts"]}["history"] == held["history"]
    finally:
        empty.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        remove(empty)


def test_a_restore_that_is_killed_half_way_leaves_the_old_state_whole(travelled: Project, tmp_path: Path) -> None:
    path, held = backup(travelled)
    empty = Project(tmp_path / "cut", engine="docker")
    (empty.root / "workflows").mkdir(parents=True)
    (empty.root / "dataflow.toml").write_text("")
    try:
        assert empty.call("up", "dagster-webserver", "dagster-daemon", timeout=400).code == 0
        empty.write("note.txt", "old state")
        assert empty.call("storage", "put", "note.txt", "lake/").code == 0
        assert empty.call("data", "query", "create table main.old as select 1 as x", "--write").code == 0
        process = empty.start("backup", "restore", path, "--yes", "--no-snapshot")
        volumes = f"label=com.docker.compose.project={compose_name(empty)}"

        def generations() -> list[str]:
            return [name for name in docker("volume", "ls", "-q", "--filter", volumes).split() if "_objects" in name]

        eventually(lambda: len(generations()) == 2, 60, "the restore fills a new volume")
        time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        again = empty.call("up", "dagster-webserver", "dagster-daemon", "--json", timeout=400)
        assert again.code == 0, again.out
        assert any("cut off before it was ready" in text for text in again.json["warnings"]) or "cut off" in again.out
        assert empty.call("storage", "get", "lake/note.txt", "back.txt", "--replace").code == 0
        assert (empty.root / "back.txt").read_text() == "old state"
        assert empty.call("data", "query", "from main.old", "--json").data["rows"] == [[1]]
        assert runs(empty) == []
        left = [name for name in docker("volume", "ls", "-q", "--filter", volumes).split() if "_objects" in name]
        assert left == [f"{compose_name(empty)}_objects"]
        assert held
    finally:
        empty.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        remove(empty)


def test_two_engines_never_work_on_one_warehouse(travelled: Project) -> None:
    assert travelled.call("up", "object-store", **NATIVE).code == 0
    called = travelled.call("up", "--json", **DOCKER)
    assert (called.code, called.error["code"]) == (5, "ENGINE_OTHER")
    assert any("engine switch docker" in action["command"] for action in called.error["actions"])


def test_a_switch_against_what_is_configured_is_refused(travelled: Project) -> None:
    called = replace(travelled, engine="native").call("engine", "switch", "docker", "--json")
    assert (called.code, called.error["code"]) == (2, "ENGINE_CONFIGURED")
    same = travelled.call("engine", "switch", "native", "--json")
    assert (same.code, same.error["code"]) == (2, "ENGINE_SAME")
