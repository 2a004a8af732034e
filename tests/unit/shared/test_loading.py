"""Bulk loads: append, replace, upsert; whole or not at all; the same rows twice add nothing."""

# ruff: noqa: PT012 (what must raise is a statement inside the block of its connection)
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflow.errors import UsageError, WarehouseError
from dataflow.shared import db
from dataflow.shared.db import LoadResult

Connection = duckdb.DuckDBPyConnection
ROWS = pa.table({"id": [1, 2, 2], "v": ["a", "b", "c"]})


@pytest.fixture
def con(warehouse: Path) -> Iterator[Connection]:
    with db.write_connection(warehouse) as connection:
        yield connection


def rows(con: Connection, table: str = "raw.t") -> list[Any]:
    return con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()


def test_a_missing_schema_and_table_are_made(con: Connection) -> None:
    assert db.load_arrow(con, ROWS, into="raw.t") == LoadResult(3, 3, 0)
    assert rows(con) == [(1, "a"), (2, "b"), (2, "c")]


def test_appending_adds_and_replacing_replaces(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="raw.t")
    assert db.load_arrow(con, ROWS, into="raw.t").rows_inserted == 3
    assert len(rows(con)) == 6
    db.load_arrow(con, ROWS, into="raw.t", mode="replace")
    assert len(rows(con)) == 3


def test_an_upsert_takes_the_last_of_each_key_and_the_same_again_changes_nothing(
    con: Connection,
) -> None:
    assert db.load_arrow(con, ROWS, into="raw.t", mode="upsert", key=["id"]) == LoadResult(3, 2, 0)
    assert db.load_arrow(con, ROWS, into="raw.t", mode="upsert", key=["id"]) == LoadResult(3, 0, 0)
    assert rows(con) == [(1, "a"), (2, "c")]


def test_an_upsert_updates_what_differs_and_inserts_what_is_new(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="raw.t", mode="upsert", key=["id"])
    more = pa.table({"v": ["a", "z", None], "id": [1, 2, 3]})
    assert db.load_arrow(con, more, into="raw.t", mode="upsert", key=["id"]) == LoadResult(3, 1, 1)
    assert rows(con) == [(1, "a"), (2, "z"), (3, None)]


def test_a_null_key_is_a_key(con: Connection) -> None:
    data = pa.table({"id": pa.array([None, 1], pa.int64()), "w": [1, 2]})
    for _ in range(2):
        db.load_arrow(con, data, into="t", mode="upsert", key=["id"])
    assert len(rows(con, "t")) == 2


def test_a_table_of_keys_only_is_upserted_too(con: Connection) -> None:
    data = pa.table({"a": [1, 1], "b": [2, 3]})
    for _ in range(2):
        result = db.load_arrow(con, data, into="t", mode="upsert", key=["a", "b"])
    assert (result.rows_inserted, result.rows_updated, len(rows(con, "t"))) == (0, 0, 2)


def test_an_upsert_keeps_constraints_and_columns_the_data_does_not_have(con: Connection) -> None:
    con.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR, note VARCHAR DEFAULT 'new')")
    con.execute("INSERT INTO t VALUES (2, 'x', 'mine')")
    db.load_arrow(con, ROWS, into="t", mode="upsert", key=["id"])
    assert rows(con, "t") == [(1, "a", "new"), (2, "c", "mine")]


def test_a_stream_of_batches_is_loaded(con: Connection) -> None:
    assert db.load_arrow(con, ROWS.to_reader(max_chunksize=1), into="t", mode="upsert", key=["id"]).rows_read == 3
    assert db.load_arrow(con, ROWS.to_reader(max_chunksize=1), into="t", mode="upsert", key=["id"]).rows_inserted == 0
    assert db.load_arrow(con, ROWS.to_reader(max_chunksize=1), into="t").rows_inserted == 3


def test_new_columns_widen_the_table_and_missing_ones_are_null(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="t")
    result = db.load_arrow(con, pa.table({"id": [9], "Extra": [1.5]}), into="t")
    assert result.columns_added == ("Extra",)
    assert (9, None, 1.5) in rows(con, "t")


def test_a_load_that_fails_leaves_nothing_of_it(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="t")
    bad = pa.table({"id": ["not a number"], "v": ["x"], "new": [1]})
    with pytest.raises(duckdb.ConversionException):
        db.load_arrow(con, bad, into="t")
    assert con.execute("DESCRIBE t").fetchall()[-1][0] == "v"
    assert len(rows(con, "t")) == 3


def test_an_upsert_that_fails_says_why_and_leaves_nothing(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="t", mode="upsert", key=["id"])
    with pytest.raises(duckdb.ConversionException):
        db.load_arrow(con, pa.table({"id": ["x"], "v": ["x"]}), into="t", mode="upsert", key=["id"])
    assert [name for (name,) in con.execute("SHOW TABLES").fetchall()] == ["t"]
    assert len(rows(con, "t")) == 2


def test_the_memory_limit_is_what_it_was_after_an_upsert(con: Connection) -> None:
    for limit in ("3GiB", "300MiB"):
        con.execute(f"SET memory_limit = '{limit}'")
        before = con.execute("SELECT current_setting('memory_limit')").fetchone()
        db.load_arrow(con, ROWS, into="t", mode="upsert", key=["id"])
        assert con.execute("SELECT current_setting('memory_limit')").fetchone() == before


def test_a_load_within_a_transaction_is_part_of_it(con: Connection) -> None:
    with pytest.raises(ValueError, match="no"), db.transaction(con):
        db.load_arrow(con, ROWS, into="raw.t", mode="upsert", key=["id"])
        raise ValueError("no")
    with pytest.raises(duckdb.CatalogException):
        rows(con)


def test_a_value_that_does_not_fit_is_an_sql_error_outside(warehouse: Path) -> None:
    with pytest.raises(WarehouseError) as caught, db.write_connection(warehouse) as con:
        db.load_arrow(con, ROWS, into="t")
        db.load_arrow(con, pa.table({"id": ["x"]}), into="t")
    assert caught.value.code == "WAREHOUSE_SQL"


@pytest.mark.parametrize(
    ("into", "key", "code"),
    [("t", [], "KEY_MISSING"), ("t", ["nope"], "KEY_UNKNOWN"), ("a.b.c.d", ["id"], "NAME_INVALID")],
)
def test_calls_that_cannot_work_are_refused(con: Connection, into: str, key: list[str], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        db.load_arrow(con, ROWS, into=into, mode="upsert", key=key)
    assert caught.value.code == code
    assert con.execute("SHOW TABLES").fetchall() == []


def test_parquet_files_are_loaded_by_path_list_and_glob(con: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    pq.write_table(ROWS, folder / "1.parquet")
    pq.write_table(pa.table({"v": ["z"], "id": [7]}), folder / "2.parquet")
    assert db.load_parquet(con, folder / "1.parquet", into="a").rows_inserted == 3
    assert db.load_parquet(con, [folder / "1.parquet", folder / "2.parquet"], into="b").rows_inserted == 4
    assert db.load_parquet(con, str(folder / "*.parquet"), into="c", mode="upsert", key=["id"]).rows_inserted == 3
    assert db.load_parquet(con, str(folder / "*.parquet"), into="c", mode="upsert", key=["id"]).rows_updated == 0
    assert (7, "z") in rows(con, "c")


def test_names_and_types_of_all_sorts_go_through(con: Connection) -> None:
    table = pa.table({'we"ird, name': [1], "list": [[1, None]], "s": [{"a": 1, "b": "x"}], "b": [b"\x00\xff"]})
    for _ in range(2):
        db.load_arrow(con, table, into='"odd.schema"."t ""x"""', mode="upsert", key=['we"ird, name'])
    assert rows(con, db.qualified('"odd.schema"."t ""x"""')) == [(1, [1, None], {"a": 1, "b": "x"}, b"\x00\xff")]


@pytest.mark.parametrize("name", ["place", "rowid", "ROWID", "source", "target", "last"])
def test_a_column_may_be_called_anything(con: Connection, name: str) -> None:
    by_name = pa.table({name: [3, 1, 1], "v": ["a", "b", "c"]})
    by_id = pa.table({name: [9, 8, 7], "id": [1, 2, 2]})
    for again in range(2):
        first = db.load_arrow(con, by_name, into="a", mode="upsert", key=[name])
        second = db.load_arrow(con, by_id, into="b", mode="upsert", key=["id"])
        assert (first, second) == (LoadResult(3, 0 if again else 2, 0),) * 2
    assert (rows(con, "a"), rows(con, "b")) == ([(1, "c"), (3, "a")], [(7, 2), (9, 1)])


@pytest.mark.parametrize(
    "into",
    ["connection", "relation", "uuid", "Path", "tables", "databases", "schemas", "warehouse.t", "temp.t", "system.t"],
)
def test_a_table_may_be_called_anything(con: Connection, into: str) -> None:
    """Also as a Python variable of the loader, a list that DESCRIBE gives, or a database of DuckDB's own."""
    for _ in range(2):
        db.load_arrow(con, ROWS, into=into, mode="upsert", key=["id"])
    schema, _, table = into.rpartition(".")
    assert con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall() == [(schema or "main", table)]
    assert rows(con, f'warehouse."{schema or "main"}"."{table}"') == [(1, "a"), (2, "c")]


def test_python_variables_can_be_queried_after_a_load(con: Connection) -> None:
    db.load_arrow(con, ROWS, into="t")
    mine = pa.table({"x": [5]})
    assert con.execute("SELECT x FROM mine").fetchall() == [(mine["x"][0].as_py(),)]


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_a_value_is_refused_rather_than_rounded_by_its_column(con: Connection, mode: db.LoadMode) -> None:
    con.execute('CREATE TABLE t (id BIGINT, "it\'s" INTEGER, day DATE)')
    noon, midnight = (datetime.fromisoformat(f"2026-01-02T{hour}:00:00") for hour in ("12", "00"))
    fits = pa.table({"id": [1.0, 2.0], "it's": [3.0, None], "day": [midnight, None]})
    db.load_arrow(con, fits, into="t", mode=mode, key=["id"])
    assert rows(con, "t") == [(1, 3, midnight.date()), (2, None, None)]
    for other in ({"id": [2.5]}, {"id": [1], "it's": [0.5]}, {"id": [1], "day": [noon]}):
        with pytest.raises(duckdb.InvalidInputException, match=r"does not fit"):
            db.load_arrow(con, pa.table(other), into="t", mode=mode, key=["id"])
    assert len(rows(con, "t")) == 2
