"""Rows of two real warehouses compared, in every way that tables differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataflow.errors import UsageError
from dataflow.events import ignore
from dataflow.operations.context import Context
from dataflow.operations.diff import DiffOptions, DiffResult, TableDiff, diff

BASE = """
    CREATE SCHEMA marts;
    CREATE TABLE marts.daily AS SELECT date '2026-01-01' + i::INTEGER AS day, i * 1.5 AS amount FROM range(10) t(i);
"""


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "dataflow.toml").write_text("")
    return Context.at(tmp_path)


def compared(context: Context, before: str, after: str, **options: Any) -> DiffResult:
    """The files a.duckdb and b.duckdb, made by these statements, compared."""
    files: list[str] = []
    for name, sql in (("a", before), ("b", after)):
        file = context.paths.root / f"{name}.duckdb"
        duckdb.connect(str(file)).execute(sql).close()
        files.append(str(file))
    return diff(context, *files, DiffOptions(**options), ignore)


def only(result: DiffResult) -> TableDiff:
    (one,) = result.tables
    return one


def test_equal_tables_are_the_same_in_whatever_order(context: Context) -> None:
    other = BASE.replace("FROM range(10) t(i)", "FROM range(10) t(i) ORDER BY i DESC")
    result = compared(context, BASE, other)
    assert (result.differs, result.tables, result.same) == (False, (), ("marts.daily",))


def test_rows_are_matched_by_the_first_column_that_is_unique(context: Context) -> None:
    change = """
        UPDATE marts.daily SET amount = 99 WHERE day = '2026-01-03'; DELETE FROM marts.daily WHERE day = '2026-01-05';
        INSERT INTO marts.daily VALUES ('2027-01-01', 7), ('2027-01-02', 7)"""
    one = only(compared(context, BASE, BASE + change, limit=1))
    assert (one.table, one.key, one.rows_before, one.rows_after) == ("marts.daily", ("day",), 10, 11)
    assert (one.added, one.removed, one.changed) == (2, 1, 1)
    changed, removed, added = one.sample
    assert (changed.key, changed.before, changed.after) == ({"day": date(2026, 1, 3)}, {"amount": 3}, {"amount": 99})
    assert (removed.key, removed.after) == ({"day": date(2026, 1, 5)}, None)
    assert (added.key, added.before, added.after) == ({"day": date(2027, 1, 1)}, None, {"amount": 7})


@pytest.mark.parametrize(
    ("table", "change", "key"),
    [
        ("t (n INTEGER, id INTEGER PRIMARY KEY)", "UPDATE t SET n = n + 1", ("id",)),
        ("t (n INTEGER, id INTEGER UNIQUE)", "UPDATE t SET n = n + 1", ("id",)),
        ("t (place VARCHAR, id INTEGER)", "UPDATE t SET place = 'z' WHERE id = 1", ("id",)),
        ("t (place INTEGER, day INTEGER, n DOUBLE)", "UPDATE t SET n = 0 WHERE n > 0", ("place", "day")),
        ("t (n DOUBLE)", "UPDATE t SET n = -1 WHERE n = 1", ()),
    ],
)
def test_a_key_is_declared_or_found_or_none(context: Context, table: str, change: str, key: tuple[str, ...]) -> None:
    values = {1: "(n::DOUBLE)", 2: "(n % 2, n)", 3: "(n % 2, n // 2, n)"}[table.count(",") + 1].strip("()")
    base = f"CREATE TABLE {table}; INSERT INTO t SELECT {values} FROM range(6) r(n)"
    one = only(compared(context, base, f"{base}; {change}"))
    assert one.key == key
    assert (one.changed > 0) == bool(key)


def test_without_a_key_rows_are_counted_with_their_copies(context: Context) -> None:
    base = "CREATE TABLE t AS SELECT 'a' AS word, 1.5 AS weight FROM range(3)"
    one = only(compared(context, base, f"{base}; DELETE FROM t; INSERT INTO t VALUES ('a', 1.5), ('b', NULL)"))
    assert (one.key, one.added, one.removed, one.changed) == ((), 1, 2, 0)
    removed, added = one.sample
    assert (removed.before, removed.copies) == ({"word": "a", "weight": 1.5}, 2)
    assert (added.after, added.copies) == ({"word": "b", "weight": None}, 1)


def test_columns_that_came_went_or_have_another_type(context: Context) -> None:
    change = """ALTER TABLE marts.daily ALTER amount TYPE DOUBLE; ALTER TABLE marts.daily ADD COLUMN note VARCHAR;
                ALTER TABLE marts.daily RENAME day TO Day"""
    one = only(compared(context, BASE, BASE + change))
    told = {(column.name, column.change): (column.before, column.after) for column in one.columns}
    assert told == {("note", "added"): (None, "VARCHAR"), ("amount", "type"): ("DECIMAL(21,1)", "DOUBLE")}
    assert (one.added, one.removed, one.changed) == (0, 0, 0)  # the values are the same


def test_tables_and_views_that_only_one_has(context: Context) -> None:
    result = compared(
        context,
        "CREATE TABLE gone (i INTEGER); CREATE VIEW v AS SELECT 1 AS one; CREATE TABLE w AS SELECT 1 AS one",
        "CREATE TABLE new AS SELECT 1 AS i; CREATE VIEW v AS SELECT 2 AS two; CREATE VIEW w AS SELECT 1 AS one",
    )
    told = [(one.table, one.kind, one.change, one.rows_before, one.rows_after) for one in result.tables]
    assert told == [
        ("main.gone", "table", "removed", 0, None), ("main.new", "table", "added", None, 1),
        ("main.v", "view", "changed", None, None), ("main.w", "view", "changed", None, None),
    ]  # fmt: skip


def test_odd_names_and_nested_types_and_nan(context: Context) -> None:
    base = """
        CREATE SCHEMA "odd ""name"; CREATE TYPE mood AS ENUM ('sad', 'ok');
        CREATE TABLE "odd ""name"."t able" (c1 INTEGER, "sel ect" mood, s STRUCT(a INTEGER, "b c" VARCHAR[]),
            m MAP(VARCHAR, INTEGER), d DOUBLE, b BLOB, "there" UUID, copies INTEGER);
        INSERT INTO "odd ""name"."t able" VALUES (1, 'ok', {'a': 1, 'b c': ['x', NULL]}, MAP {'k': 1}, 'nan', '\\x00',
            '00000000-0000-0000-0000-000000000001', 1), (2, NULL, NULL, NULL, NULL, NULL, NULL, 1)"""
    assert not compared(context, base, base).differs
    (context.paths.root / "b.duckdb").unlink()
    change = """; UPDATE "odd ""name"."t able" SET m = MAP {'k': 2}, "sel ect" = 'sad' WHERE c1 = 1"""
    (context.paths.root / "a.duckdb").unlink()
    (row,) = only(compared(context, base, base + change)).sample
    assert (row.before, row.after) == ({"sel ect": "ok", "m": {"k": 1}}, {"sel ect": "sad", "m": {"k": 2}})


def test_a_given_key_is_taken_where_it_is_and_refused_where_it_does_not_identify(context: Context) -> None:
    base = BASE + "CREATE TABLE other AS SELECT 1 AS a, 2 AS b"
    change = "; UPDATE other SET b = 3; UPDATE marts.daily SET amount = 0"
    tables = {one.table: one for one in compared(context, base, base + change, key=("DAY",)).tables}
    assert (tables["marts.daily"].key, tables["marts.daily"].changed) == (("day",), 9)
    assert tables["main.other"].key == ("a",)
    for options, code in (({"key": ("amount",)}, "KEY_AMBIGUOUS"), ({"key": ("dya",)}, "KEY_UNKNOWN"),
                          ({"tables": ("marts.dialy",)}, "TABLE_UNKNOWN")):  # fmt: skip
        with pytest.raises(UsageError) as error:
            diff(
                context, *(str(context.paths.root / f"{name}.duckdb") for name in "ab"), DiffOptions(**options), ignore
            )
        assert error.value.code == code


def test_only_the_tables_asked_for_are_looked_at(context: Context) -> None:
    base = BASE + "CREATE TABLE other AS SELECT 1 AS a; CREATE TABLE third AS SELECT 1 AS a"
    result = compared(context, base, base + "; DELETE FROM other; DELETE FROM third", tables=("other", "marts.daily"))
    assert ([one.table for one in result.tables], result.same) == (["main.other"], ("marts.daily",))
