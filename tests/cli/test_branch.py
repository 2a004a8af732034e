"""`data branch`: copies of the warehouse for git branches and worktrees, also while a run writes and on a full disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dataflow.shared import db
from tests.cli.test_warehouses import CHANGE, DAILY, warehouse, write
from tests.conftest import Project


@pytest.fixture
def filled(project: Project) -> Project:
    """A project whose warehouse holds marts.daily."""
    write(warehouse(project), f"{DAILY}; CREATE VIEW warehouse.marts.v AS FROM warehouse.marts.daily")
    return project


def test_a_branch_is_a_copy_that_the_variable_puts_to_use(filled: Project) -> None:
    created = filled.call("data", "branch", "create", "feature/x", "--json")
    assert created.code == 0, created.out
    use = created.data["use"]
    assert use == f"DATAFLOW_WAREHOUSE_PATH={filled.root}/.dataflow/branches/feature%2Fx/warehouse.duckdb"
    filled.write(".env", f"{use}\n")
    assert filled.call("data", "query", CHANGE.split(";")[0], "--write").code == 0
    listed = filled.call("data", "branch", "--json")
    (branch,) = listed.data["branches"]
    assert (branch["name"], branch["base"], branch["in_use"]) == ("feature/x", "live", True)
    assert branch["bytes"] > 0
    assert listed.data["live"] == str(warehouse(filled))
    assert filled.call("data", "branch", "drop", "feature/x", "--yes", "--json").error["code"] == "BRANCH_IN_USE"
    (filled.root / ".env").unlink()
    differs = filled.call("data", "diff", "live", "feature/x", "--json")
    assert (differs.code, differs.data["tables"][0]["changed"]) == (8, 1)
    printed = filled.call("data", "branch", "path", "feature/x").out.strip()
    assert printed == branch["path"]
    assert filled.call("data", "query", "from marts.v", DATAFLOW_WAREHOUSE_PATH=printed).code == 0


def test_dropping_asks_and_leaves_nothing(filled: Project) -> None:
    assert filled.call("data", "branch", "create", "experiment").code == 0
    refused = filled.call("data", "branch", "drop", "experiment", "--json")
    assert (refused.code, refused.error["code"]) == (3, "CONFIRMATION_NEEDED")
    path = Path(filled.call("data", "branch", "path", "experiment").out.strip())
    with db.write_connection(path):
        locked = filled.call("data", "branch", "drop", "experiment", "--yes", "--json")
    assert (locked.code, locked.error["code"], path.exists()) == (1, "WAREHOUSE_LOCKED", True)
    assert filled.call("data", "branch", "drop", "experiment", "--yes").code == 0
    assert list((filled.root / ".dataflow" / "branches").iterdir()) == []
    assert "No branches yet" in filled.call("data", "branch").out


def test_while_somebody_writes_the_published_snapshot_is_copied(filled: Project) -> None:
    assert filled.call("data", "branch", "create", "one").code == 0  # publishes
    with db.write_connection(warehouse(filled)) as connection:
        connection.execute(CHANGE)
        created = filled.call("data", "branch", "create", "two")
    assert created.code == 0, created.err
    assert "A run holds live: this is its snapshot of" in created.out
    assert filled.call("data", "diff", "one", "two").code == 0


def test_a_worktree_gets_the_copy_as_its_own_warehouse(filled: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "feature")
    other.write("dataflow.toml", "")
    created = filled.call("data", "branch", "create", "feature", "--worktree", str(other.root))
    assert f"It is the warehouse of {other.root}" in created.out, created.err
    assert other.call("data", "query", "select count(*) as n from marts.v", "--csv").out.split() == ["n", "10"]
    again = filled.call("data", "branch", "create", "again", "--worktree", str(other.root), "--json")
    assert (again.code, again.error["code"]) == (2, "FILE_EXISTS")
    assert filled.call("data", "branch", "drop", "feature", "--yes").code == 0
    assert not warehouse(other).exists()
    assert filled.call("data", "branch", "create", "x", "--worktree", ".", "--json").error["code"] == "WORKTREE_SAME"
    assert filled.call("data", "branch", "create", "x", "--worktree", "..", "--json").error["code"] == "NO_PROJECT"


def test_a_log_that_a_killed_writer_left_belongs_to_the_file(filled: Project) -> None:
    other = filled.root / "other.duckdb"
    write(other, DAILY)
    with db.write_connection(other) as connection:
        connection.execute(CHANGE)
        for suffix in ("", ".wal"):  # as they lie there while the writer is alive
            (filled.root / f"killed.duckdb{suffix}").write_bytes(Path(f"{other}{suffix}").read_bytes())
    created = filled.call("data", "branch", "create", "saved", "--from", "killed.duckdb")
    assert created.code == 0, created.err
    path = Path(filled.call("data", "branch", "path", "saved").out.strip())
    with db.read_connection(path) as reader:
        rows = reader.connection.execute(
            "SELECT count(*) FROM marts.daily WHERE amount = 99 AND note IS NULL"
        ).fetchall()
    assert rows == [(1,)]


REFUSED = [
    (["create", "there"], "BRANCH_EXISTS", ""),
    (["create", "../x"], "BRANCH_NAME_ILLEGAL", "slashes between"),
    (["create", "live"], "BRANCH_NAME_ILLEGAL", "not last, live, snapshot"),
    (["create", "new", "--from", "thre"], "WAREHOUSE_UNKNOWN", "Did you mean 'there'?"),
    (["drop", "thre", "--yes"], "BRANCH_UNKNOWN", "Did you mean 'there'?"),
    (["create"], "NAME_MISSING", ""),
]


def test_what_cannot_be_is_refused(filled: Project) -> None:
    assert filled.call("data", "branch", "create", "there").code == 0
    for words, code, hint in REFUSED:
        called = filled.call("data", "branch", *words, "--json")
        assert (called.code, called.error["code"]) == (2, code)
        assert hint in (called.error["hint"] or ""), words


def test_without_a_warehouse_there_is_nothing_to_copy(project: Project) -> None:
    called = project.call("data", "branch", "create", "x", "--json")
    assert (called.code, called.error["code"]) == (1, "WAREHOUSE_MISSING")
    assert project.call("data", "branch", "--json").data["branches"] == []


def test_a_full_disk_leaves_no_half_copy(filled: Project, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("a file system of a fixed size needs the right to mount")
    try:
        (filled.root / ".dataflow" / "branches").symlink_to(place)
        called = filled.call("data", "branch", "create", "x", "--json")
        assert (called.code, called.error["code"]) == (1, "DISK_FULL")
        assert [path for path in place.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
