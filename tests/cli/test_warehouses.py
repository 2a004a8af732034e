"""`data diff`: what a user sees of two warehouses, also while somebody writes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dataflow.shared import db
from tests.conftest import Project

DAILY = """
    CREATE SCHEMA marts;
    CREATE TABLE marts.daily AS SELECT date '2026-01-01' + i::INTEGER AS day, i * 1.5 AS amount FROM range(10) t(i)"""
CHANGE = "UPDATE marts.daily SET amount = 99 WHERE day = '2026-01-03'; ALTER TABLE marts.daily ADD COLUMN note VARCHAR"


def warehouse(project: Project) -> Path:
    return project.root / ".dataflow" / "warehouse.duckdb"


def write(path: Path, sql: str) -> None:
    with db.write_connection(path) as connection:
        connection.execute(sql)


@pytest.fixture
def filled(project: Project) -> Project:
    """A project whose warehouse holds marts.daily, published, and base.duckdb, a copy of it."""
    write(warehouse(project), DAILY)
    write(project.root / "base.duckdb", DAILY)
    return project


def test_a_difference_is_shown_and_ends_with_8(filled: Project) -> None:
    write(warehouse(filled), CHANGE)
    called = filled.call("data", "diff", "base.duckdb", "live")
    assert called.code == 8, called.err
    assert called.out.splitlines() == [
        "~ marts.daily: 10 -> 10 rows, 1 changed (key day)",
        "  + column note VARCHAR",
        "  ~ day=2026-01-03  amount 3.0 -> 99.0",
        "1 difference in tables and views, 0 tables the same.",
    ]


def test_no_difference_ends_with_0_and_writers_are_not_kept_waiting(filled: Project) -> None:
    assert filled.call("data", "diff", "base.duckdb").code == 0  # publishes
    with db.write_connection(warehouse(filled), wait=5) as connection:
        connection.execute(CHANGE)
        called = filled.call("data", "diff", "base.duckdb", "live", "--json")
    assert (called.code, called.data["tables"], called.data["same"]) == (0, [], ["marts.daily"])
    assert (called.data["after"]["source"], called.data["after"]["stale"]) == ("snapshot", True)
    shown = filled.call("data", "diff", "snapshot", "live", "--json")
    assert shown.code == 8  # what was written since
    assert [one["table"] for one in shown.data["tables"]] == ["marts.daily"]


def test_a_backup_is_a_side(filled: Project) -> None:
    folder = filled.root / ".dataflow" / "backups" / "20260101T000000Z-native"
    folder.mkdir(parents=True)
    os.link(filled.root / "base.duckdb", folder / "warehouse.duckdb")
    part = {"name": "warehouse", "file": "warehouse.duckdb", "bytes": 1, "sha256": "", "facts": {}}
    filled.write(".dataflow/backups/20260101T000000Z-native/manifest.json", json.dumps({
        "format": 1, "id": folder.name, "path": None, "created": "2026-01-01T00:00:00+00:00", "reason": "x",
        "project": "tests", "engine": "native", "version": "0", "secrets": "left out", "parts": [part], "pins": {},
    }))  # fmt: skip
    called = filled.call("data", "diff", "last", "live", "--json")
    assert (called.code, called.data["before"]["name"]) == (0, folder.name)


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["liv"], "WAREHOUSE_UNKNOWN", "Did you mean 'live'?"),
        (["base.duckdb", "--table", "marts.dayly"], "TABLE_UNKNOWN", "Did you mean 'marts.daily'?"),
        (["base.duckdb", "--key", "dy"], "KEY_UNKNOWN", "Did you mean 'day'?"),
    ],
)
def test_what_is_not_there_is_named_with_a_near_one(filled: Project, words: list[str], code: str, hint: str) -> None:
    called = filled.call("data", "diff", *words, "--json")
    assert (called.code, called.error["code"], called.error["hint"]) == (2, code, hint)


def test_where_nothing_was_written_yet_that_is_said(project: Project) -> None:
    assert project.call("data", "diff", "live", "--json").error["code"] == "WAREHOUSE_MISSING"
    assert project.call("data", "diff", "snapshot", "--json").error["code"] == "WAREHOUSE_MISSING"
    project.write("notes.txt", "no database")
    called = project.call("data", "diff", "notes.txt", "notes.txt", "--json")
    assert (called.code, called.error["code"]) == (1, "WAREHOUSE_CORRUPT")
