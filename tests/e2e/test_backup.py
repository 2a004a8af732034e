"""Backups on the native engine: what is in them, what they bring back, and what weather does to both."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Called, Project, add_workflow
from tests.e2e.conftest import eventually

pytestmark = pytest.mark.e2e
PASSPHRASE = {"DATAFLOW_BACKUP_PASSPHRASE": "open sesame"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that is up, with rows, an object and a run of its own."""
    root = tmp_path_factory.mktemp("backup") / "kept"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text('name = "kept"\n')
    project = Project(root)
    add_workflow(project, "quick")
    add_workflow(project, "slow", body="import time; time.sleep(60)")
    try:
        assert project.call("up", "--timeout", "180", timeout=400).code == 0
        assert project.call("workflow", "run", "quick").code == 0
        fill(project, 7)
        yield project
    finally:
        project.call("down")


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that is up without Dagster, which takes longest to start."""
    root = tmp_path_factory.mktemp("backup") / "light"
    (root / "workflows").mkdir(parents=True)
    off = (f"[services.dagster-{name}]\nenabled = false\n" for name in ("code", "daemon", "webserver"))
    (root / "dataflow.toml").write_text("".join(off))
    project = Project(root)
    try:
        assert project.call("up").code == 0
        yield project
    finally:
        project.call("down")


@pytest.fixture(scope="module")
def whole(kept: Project) -> Path:
    """A backup that tests only read."""
    return Path(created(kept)["path"])


def fill(project: Project, number: int) -> None:
    sql = f"create or replace table main.t as select range as n from range({number})"
    assert project.call("data", "query", sql, "--write").code == 0
    project.write("note.txt", f"note {number}")
    assert project.call("storage", "put", "note.txt", "lake/").code == 0


def state(project: Project) -> tuple[Any, str, int]:
    """Rows, the object, runs."""
    rows = project.call("data", "query", "select count(*) from main.t", "--json").data["rows"]
    assert project.call("storage", "get", "lake/note.txt", "back.txt", "--replace").code == 0
    runs = project.call("workflow", "runs", "--json").data["runs"]
    return rows[0][0], (project.root / "back.txt").read_text(), len(runs)


def created(project: Project, *arguments: str, **env: str) -> dict[str, Any]:
    called = project.call("backup", "create", *arguments, "--json", **env)
    assert called.code == 0, called.out
    return called.data


def failed(called: Called) -> tuple[int, str]:
    return called.code, called.error["code"]


def test_a_backup_brings_back_what_was_and_keeps_what_is(kept: Project) -> None:
    fill(kept, 7)
    before = state(kept)
    backup = created(kept)
    assert {part["name"] for part in backup["parts"]} == {"warehouse", "objects", "history", "files", "configuration"}
    assert backup["secrets"] == "left out"
    assert stat.S_IMODE(Path(backup["path"]).stat().st_mode) == 0o700
    fill(kept, 1000)
    assert kept.call("workflow", "run", "quick").code == 0
    now = state(kept)
    planned = kept.call("backup", "restore", backup["id"], "--dry-run", "--json").data
    parts = {part["name"]: part for part in planned["parts"]}
    assert parts["warehouse"]["facts"]["rows"] == 7
    assert parts["warehouse"]["now"]["rows"] == 1000
    assert parts["configuration"]["action"] == "add missing"
    assert state(kept) == now
    restored = kept.call("backup", "restore", backup["id"], "--yes", "--json")
    assert restored.code == 0, restored.out
    assert state(kept) == before
    assert kept.call("status", "--json").data["state"] == "up"
    # The state that was replaced is a backup itself.
    assert kept.call("backup", "restore", restored.data["snapshot"], "--yes", "--no-snapshot").code == 0
    assert state(kept) == now
    assert kept.call("workflow", "run", "quick").code == 0, "the platform goes on"


def test_a_platform_that_is_down_is_backed_up_and_down_afterwards(kept: Project) -> None:
    assert kept.call("down").code == 0
    try:
        backup = created(kept)
        assert backup["parts"][1]["facts"]["objects"] == 1
        assert kept.call("status", "--json").data["state"] == "down"
        assert kept.call("backup", "restore", backup["id"], "--yes", "--no-snapshot").code == 0
        assert kept.call("status", "--json").data["state"] == "down"
    finally:
        assert kept.call("up").code == 0


def test_backups_are_listed_and_named_by_their_beginning(kept: Project) -> None:
    newest = created(kept)["id"]
    listed = kept.call("backup", "list", "--json").data["backups"]
    assert listed[0]["id"] == newest
    assert [one["created"] for one in listed] == sorted((one["created"] for one in listed), reverse=True)
    for name in ("last", newest, newest[:-2]):
        assert kept.call("backup", "verify", name, "--json").data["backup"]["id"] == newest
    assert failed(kept.call("backup", "verify", "1999", "--json")) == (2, "BACKUP_UNKNOWN")
    assert failed(kept.call("backup", "restore", "20", "--dry-run", "--json")) == (2, "BACKUP_UNKNOWN")
    assert max(map(len, kept.call("backup", "list", COLUMNS="80").out.splitlines())) <= 80


@pytest.mark.parametrize("damage", ["a byte", "a file", "the manifest"])
def test_a_damaged_backup_is_found_and_never_restored(kept: Project, whole: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / whole.name
    shutil.copytree(whole, folder)
    match damage:
        case "a byte":
            with (folder / "objects.tar").open("r+b") as file:
                file.seek(600)
                file.write(b"\xff")
        case "a file":
            (folder / "history.jsonl.gz").unlink()
        case _:
            (folder / "manifest.json").write_text("{")
    before = state(kept)
    for command in (("verify", str(folder)), ("restore", str(folder), "--yes")):
        assert failed(kept.call("backup", *command, "--json")) == (1, "BACKUP_DAMAGED")
    assert state(kept) == before


def test_nothing_is_replaced_without_a_yes(kept: Project, whole: Path) -> None:
    before = state(kept)
    assert failed(kept.call("backup", "restore", str(whole), "--json")) == (3, "CONFIRMATION_NEEDED")
    assert failed(kept.call("down", "--volumes", "--json")) == (3, "CONFIRMATION_NEEDED")
    assert state(kept) == before


def test_secrets_are_sealed_and_add_only_what_is_missing(kept: Project, tmp_path: Path) -> None:
    assert failed(kept.call("backup", "create", "--with-secrets", "--json")) == (4, "PASSPHRASE_MISSING")
    without = created(kept)
    with (kept.root / ".env").open("a") as file:
        file.write("NIGHTSCOUT_TOKEN=very-secret-thing\n")
    sealed = created(kept, "--with-secrets", **PASSPHRASE)
    assert sealed["secrets"] == "encrypted"
    for file in Path(sealed["path"]).iterdir():
        assert b"very-secret-thing" not in file.read_bytes(), file
    empty = Project(tmp_path / "empty")
    empty.write("dataflow.toml", "")
    empty.write(".env", "DATAFLOW_S3_ACCESS_KEY=mine\n")
    restore = ("backup", "restore", sealed["path"], "--yes", "--with-secrets", "--json")
    assert failed(empty.call(*restore)) == (4, "PASSPHRASE_MISSING")
    assert failed(empty.call(*restore, DATAFLOW_BACKUP_PASSPHRASE="wrong")) == (2, "PASSPHRASE_WRONG")
    missing = ("backup", "restore", without["path"], "--yes", "--with-secrets", "--json")
    assert failed(empty.call(*missing, **PASSPHRASE)) == (2, "SECRETS_MISSING")
    assert not (empty.root / ".dataflow" / "warehouse.duckdb").exists()
    assert empty.call(*restore, **PASSPHRASE).code == 0
    text = (empty.root / ".env").read_text()
    assert "NIGHTSCOUT_TOKEN=very-secret-thing" in text
    assert "DATAFLOW_S3_ACCESS_KEY=mine" in text
    assert (empty.root / "workflows" / "quick" / "dagster_job.py").exists() is False, "code is in git, not in a backup"


def test_a_run_that_goes_on_is_waited_for_and_named(kept: Project) -> None:
    started = kept.call("workflow", "run", "slow", "--detach", "--json")
    assert started.code == 0, started.out
    run = started.data["run_id"]
    eventually(lambda: kept.call("workflow", "status", run, "--json").data["run"]["state"] == "running", 60, "it runs")
    try:
        called = kept.call("backup", "create", "--wait", "1", "--json")
        assert failed(called) == (1, "RUNS_ACTIVE")
        assert run[:8] in called.error["message"]
        assert kept.call("status", "--json").data["state"] == "up"
    finally:
        kept.call("workflow", "cancel", run)
    assert created(kept)["parts"]


def test_a_restore_that_is_killed_leaves_the_old_state_whole(light: Project) -> None:
    fill(light, 3)
    backup = created(light)["id"]
    fill(light, 11)
    before = state(light)
    process = light.start("backup", "restore", backup, "--yes", "--no-snapshot")
    restoring = light.root / ".dataflow" / "restoring" / "project" / ".dataflow" / "objects"
    eventually(restoring.exists, 60, "the new state is being built")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    called = light.call("up", "--json")
    assert called.code == 0, called.out
    assert any("cut off" in warning for warning in called.json["warnings"])
    assert state(light) == before
    assert not (light.root / ".dataflow" / "restoring").exists()
    assert light.call("backup", "restore", backup, "--yes", "--no-snapshot").code == 0
    assert state(light)[:2] == (3, "note 3")


def test_an_interrupt_leaves_no_half_backup(kept: Project) -> None:
    known = {path.name for path in (kept.root / ".dataflow" / "backups").iterdir()}
    process = kept.start("backup", "create")
    folder = kept.root / ".dataflow" / "backups"
    eventually(lambda: any(path.name.startswith(".") for path in folder.iterdir()), 60, "it has begun")
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert {path.name for path in folder.iterdir()} - known == set()
    eventually(lambda: kept.call("status", "--json").data["state"] == "up", 60, "Dagster's daemon is back")


def test_automatic_backups_do_not_pile_up_and_asked_ones_stay(light: Project) -> None:
    fill(light, 2)
    asked = created(light)["id"]
    env = {"DATAFLOW_BACKUP_KEEP": "1"}
    for _ in range(2):
        assert light.call("backup", "restore", asked, "--yes", **env).code == 0
    reasons = [one["reason"] for one in light.call("backup", "list", "--json").data["backups"]]
    assert reasons.count("before restore") == 1
    assert asked in [one["id"] for one in light.call("backup", "list", "--json").data["backups"]]


def test_down_with_volumes_backs_up_first_and_removes_the_data(kept: Project) -> None:
    fill(kept, 5)
    before = state(kept)
    called = kept.call("down", "--volumes", "--yes", "--json")
    assert called.code == 0, called.out
    assert not (kept.root / ".dataflow" / "objects").exists()
    assert (kept.root / ".dataflow" / "warehouse.duckdb").exists(), "the warehouse file always stays"
    assert kept.call("up").code == 0
    assert kept.call("workflow", "runs", "--json").data["runs"] == []
    assert kept.call("backup", "restore", called.data["backup"], "--yes", "--no-snapshot").code == 0
    assert state(kept) == before
    audit = (kept.root / ".dataflow" / "audit.jsonl").read_text().splitlines()
    assert {"down", "backup restore", "backup create"} <= {json.loads(line)["operation"] for line in audit}
