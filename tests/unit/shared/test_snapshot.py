"""The published snapshot: equal to the warehouse, cheap, atomic, and there for readers while somebody writes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dataflow.errors import WarehouseError
from dataflow.shared import db
from dataflow.shared.snapshot import Published, Snapshot, current, publish

ROOT = Path(__file__).parents[3]
BIG = 300_000
TYPES = """
    CREATE SCHEMA "odd ""name";
    CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
    CREATE SEQUENCE counter START 5;
    CREATE MACRO twice(x) AS x * 2;
    CREATE TABLE "odd ""name"."t able" (
        id INTEGER PRIMARY KEY DEFAULT nextval('counter'), "sel ect" VARCHAR NOT NULL, m mood, h HUGEINT,
        d DECIMAL(38, 9), s STRUCT(a INTEGER, "b c" VARCHAR[]), l DOUBLE[], mp MAP(VARCHAR, INTEGER), t TIMESTAMPTZ,
        u UUID, b BLOB, g INTEGER GENERATED ALWAYS AS (id * 2), CHECK (id > 0));
    INSERT INTO "odd ""name"."t able" (id, "sel ect", m, h, d, s, l, mp, t, u, b) VALUES
        (1, 'ü', 'it''s ok', 170141183460469231731687303715884105727, 1.000000001, {'a': 1, 'b c': ['x', NULL]},
         [1.5, NULL, 'nan'::DOUBLE], MAP {'k': 1}, '2026-10-25 02:30:00+02',
         '00000000-0000-0000-0000-000000000001', '\\x00\\xff'),
        (2, '', NULL, NULL, NULL, NULL, [], MAP {}, NULL, NULL, '');
    COMMENT ON TABLE "odd ""name"."t able" IS 'it''s odd';
    COMMENT ON COLUMN "odd ""name"."t able".id IS 'the key';
    CREATE TABLE parent (id INTEGER UNIQUE); INSERT INTO parent VALUES (1), (2);
    CREATE TABLE child (id INTEGER REFERENCES parent (id)); INSERT INTO child VALUES (1);
    CREATE TABLE empty (x INTEGER);
    CREATE INDEX by_h ON "odd ""name"."t able" (h);
    CREATE VIEW z_view AS SELECT twice(id) AS id2 FROM parent;
    CREATE VIEW a_view AS SELECT * FROM warehouse.main.z_view;
    COMMENT ON VIEW a_view IS 'stands on z_view';
"""


def write(warehouse: Path, sql: str) -> None:
    with db.write_connection(warehouse) as connection:
        connection.execute(sql)


def everything(path: Path) -> dict[str, object]:
    """All rows in their order and all definitions, read in a fresh process's eyes: a new read-only connection."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET threads = 1")  # else rows arrive in any order
        catalog = db.quote(connection.execute("SELECT current_database()").fetchall()[0][0])
        tables = connection.execute(
            "SELECT schema_name, table_name, sql, comment FROM duckdb_tables() ORDER BY ALL"
        ).fetchall()
        found: dict[str, object] = {"tables": tables}
        for name in ("indexes", "views", "sequences"):
            found[name] = connection.execute(
                f"SELECT sql FROM duckdb_{name}() WHERE sql NOT NULL ORDER BY ALL"
            ).fetchall()
        found["columns"] = connection.execute(
            "SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() "
            "WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        for schema, table, *_ in tables:
            name = f"{db.quote(schema)}.{db.quote(table)}"
            found[name] = connection.execute(
                f"SELECT count(*), md5(string_agg(md5(t::VARCHAR), '')) FROM {catalog}.{name} t"
            ).fetchone()
        return found


def assert_equal(warehouse: Path, published: Published) -> None:
    assert everything(published.path) == everything(warehouse)


@contextmanager
def held(warehouse: Path, *, sql: str = "SELECT 1") -> Iterator[subprocess.Popen[str]]:
    """Another process that has the warehouse open for writing."""
    code = f"""import duckdb, time
c = duckdb.connect({str(warehouse)!r}); c.execute({sql!r}); print(flush=True); time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def big(warehouse: Path) -> Path:
    write(warehouse, f"CREATE TABLE big AS SELECT range AS i, hash(range) AS h, 'x' || range AS s FROM range({BIG})")
    publish(warehouse)
    publish_again(warehouse)
    return warehouse


def publish_again(warehouse: Path) -> None:
    """Fill the second replica too, so that what follows is measured on a warehouse in use."""
    write(warehouse, "CREATE OR REPLACE TABLE small AS SELECT 1 AS a")
    publish(warehouse)


def test_types_constraints_and_definitions_survive(warehouse: Path) -> None:
    write(warehouse, TYPES)
    published = publish(warehouse)
    assert_equal(warehouse, published)
    with duckdb.connect(str(published.path), read_only=True) as connection:
        assert connection.execute("FROM a_view").fetchall() == [(2,), (4,)]


def test_publishing_again_after_changes_stays_equal(warehouse: Path) -> None:
    write(warehouse, TYPES)
    publish(warehouse)
    for sql in (
        "INSERT INTO parent VALUES (3)",
        """DELETE FROM "odd ""name"."t able" WHERE id = 1""",
        "DROP VIEW a_view",
        "CREATE VIEW c_view AS SELECT 1 AS one",
        "DROP TABLE child; DROP TABLE empty",
        "CREATE SCHEMA later; CREATE TABLE later.t AS SELECT 1 AS a",
        "CREATE TYPE size AS ENUM ('s', 'm')",
        "DROP SCHEMA later CASCADE",
        "ALTER TABLE parent ADD COLUMN extra VARCHAR DEFAULT 'e'",
    ):
        write(warehouse, sql)
        published = publish(warehouse)
        assert published.changed
        assert_equal(warehouse, published)


def test_nothing_changed_publishes_nothing_but_freshness(big: Path) -> None:
    before = current(big)
    assert before is not None
    os.utime(big)
    stale = current(big)
    assert stale is not None
    assert not stale.fresh
    published = publish(big)
    assert (published.changed, published.tables, published.rows, published.path) == (False, (), 0, before.path)
    assert current(big).fresh  # type: ignore[union-attr]


def test_appending_copies_the_new_rows_only(big: Path) -> None:
    write(big, f"INSERT INTO big SELECT range, 1, 'new' FROM range({BIG}, {BIG + 500})")
    published = publish(big)
    assert published.tables == ('"main"."big"',)
    assert published.rows <= 500 + 1
    assert_equal(big, published)


def test_many_small_appends_stay_equal_and_cheap(big: Path) -> None:
    for batch in range(6):
        write(big, f"INSERT INTO big SELECT {batch}, range, 'more' FROM range(700)")
        published = publish(big)
        assert_equal(big, published)
    assert published.rows < BIG / 2


def test_changing_a_row_copies_its_row_group_only(big: Path) -> None:
    write(big, "UPDATE big SET s = 'changed' WHERE i = 10")
    published = publish(big)
    assert 0 < published.rows <= 122_880 + 1
    assert_equal(big, published)


def test_deleting_rows_is_seen_though_blocks_stay(big: Path) -> None:
    write(big, f"DELETE FROM big WHERE i = {BIG - 5}")
    assert_equal(big, publish(big))
    write(big, "DELETE FROM big WHERE i = 5")
    assert_equal(big, publish(big))
    write(big, "DELETE FROM big")
    assert_equal(big, publish(big))


def test_a_table_written_twice_in_between_is_not_taken_for_the_old_one(warehouse: Path) -> None:
    """The second writing gets the blocks of the first version back: only their checksums tell them apart."""
    for version in range(6):
        for _ in range(2):
            write(
                warehouse,
                "CREATE OR REPLACE TABLE t AS SELECT range AS i, "
                f"CASE WHEN range = 500 THEN {version} ELSE range % 100 END AS v FROM range(1000)",
            )
        assert_equal(warehouse, publish(warehouse))


def test_random_work_stays_equal(warehouse: Path) -> None:
    dice = random.Random(7)
    write(warehouse, "CREATE TABLE a AS SELECT range AS i, range % 7 AS v FROM range(150000); CREATE TABLE b AS FROM a")
    write(warehouse, "CREATE TABLE k (i BIGINT PRIMARY KEY, v BIGINT, l INTEGER[])")
    for _ in range(10):
        at = dice.randrange(250_000)
        write(
            warehouse,
            dice.choice(
                [
                    f"INSERT INTO a SELECT {at}, range FROM range({dice.randrange(1, 3000)})",
                    f"UPDATE a SET v = {at} WHERE i BETWEEN {at} AND {at + 100}",
                    f"DELETE FROM a WHERE i BETWEEN {at} AND {at + dice.randrange(5000)}",
                    f"INSERT OR REPLACE INTO k SELECT range, {at}, [range] FROM range({at % 1000}, {at % 1000 + 50})",
                    f"CREATE OR REPLACE TABLE b AS SELECT * FROM a WHERE v <> {at % 7}",
                    f"DELETE FROM k WHERE i % 10 = {at % 10}",
                ]
            ),
        )
        if dice.random() < 0.7:
            assert_equal(warehouse, publish(warehouse))
    assert_equal(warehouse, publish(warehouse))


@pytest.mark.parametrize("column", ["place", "rowid", "source", "row"])
def test_a_column_may_be_called_anything(warehouse: Path, column: str) -> None:
    for sql in (
        f"CREATE TABLE big AS SELECT range + 7 AS {column}, range % 3 AS v FROM range({BIG})",
        "CREATE TABLE small AS SELECT 1 AS a",
        f"UPDATE big SET v = 9 WHERE {column} = 17",
        f"UPDATE big SET {column} = 5 WHERE {column} = {BIG - 5}",
        "DELETE FROM big WHERE v = 9",
        "INSERT INTO big VALUES (1, 2)",
    ):
        write(warehouse, sql)
        assert_equal(warehouse, publish(warehouse))


@pytest.mark.parametrize("schema", ["warehouse", "memory", "temp", "system"])
def test_a_schema_may_be_called_as_a_database_is(warehouse: Path, schema: str) -> None:
    name = f"warehouse.{schema}"
    for sql in (
        f"CREATE SCHEMA {name}; CREATE TABLE {name}.t (a INTEGER, b VARCHAR DEFAULT 'x')",
        f"CREATE UNIQUE INDEX first ON {name}.t (a); COMMENT ON TABLE {name}.t IS 'c'",
        f"CREATE VIEW {name}.v AS SELECT 1 AS one",
        f"INSERT INTO {name}.t (a) VALUES (1)",
        f"CREATE OR REPLACE VIEW {name}.v AS SELECT 2 AS one",
        f"DROP TABLE {name}.t",
        f"DROP SCHEMA {name} CASCADE",
    ):
        write(warehouse, sql)
        assert_equal(warehouse, publish(warehouse))


@pytest.mark.parametrize("name", ["memory", "temp", "a.b"])
def test_a_warehouse_may_be_called_as_a_database_of_duckdb_s_own(tmp_path: Path, name: str) -> None:
    warehouse = tmp_path / f"{name}.duckdb"
    write(warehouse, "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT * FROM t")
    publish(warehouse)
    write(warehouse, "INSERT INTO t VALUES (2)")
    assert_equal(warehouse, publish(warehouse))


def test_what_a_killed_writer_left_in_the_log_is_published(warehouse: Path) -> None:
    write(warehouse, "CREATE TABLE t AS SELECT 1 AS a")
    publish(warehouse)
    with held(warehouse, sql="INSERT INTO t VALUES (2)"):
        pass
    assert warehouse.with_name(warehouse.name + ".wal").exists()
    assert_equal(warehouse, publish(warehouse))


def test_readers_take_a_fresh_snapshot_and_leave_the_live_file_alone(big: Path) -> None:
    with db.read_connection(big) as reader:
        assert (reader.source, reader.stale) == ("snapshot", False)
        assert reader.as_of is not None
        assert datetime.now(UTC) - reader.as_of < timedelta(minutes=1)
        with db.write_connection(big, wait=0) as writer:
            writer.execute("INSERT INTO small VALUES (2)")
        assert reader.connection.execute("SELECT count(*) FROM small").fetchone() == (1,)


def test_readers_take_the_live_file_when_it_has_moved_on(big: Path) -> None:
    write(big, "INSERT INTO small VALUES (2)")
    with db.read_connection(big) as reader:
        assert (reader.source, reader.stale) == ("live", False)
        assert reader.connection.execute("SELECT count(*) FROM small").fetchone() == (2,)


def test_while_somebody_writes_readers_answer_from_the_snapshot_within_a_second(big: Path) -> None:
    with held(big, sql="INSERT INTO small VALUES (2)"):
        began = time.monotonic()
        with db.read_connection(big) as reader:
            assert (reader.source, reader.stale) == ("snapshot", True)
            assert reader.connection.execute("SELECT count(*) FROM small").fetchone() == (1,)
        assert time.monotonic() - began < 1


def test_without_a_snapshot_a_reader_is_told_who_writes(warehouse: Path) -> None:
    write(warehouse, "CREATE TABLE t AS SELECT 1 AS a")
    with (
        held(warehouse) as holder,
        pytest.raises(WarehouseError, match=str(holder.pid)) as caught,
        db.read_connection(warehouse),
    ):
        pass
    assert caught.value.code == "WAREHOUSE_LOCKED"


def test_publishing_while_somebody_writes_says_who(big: Path) -> None:
    before = current(big)
    with held(big) as holder, pytest.raises(WarehouseError, match=str(holder.pid)):
        publish(big, wait=0.1)
    after = current(big)
    assert isinstance(before, Snapshot)
    assert isinstance(after, Snapshot)
    assert after.path == before.path


def test_a_slow_reader_of_an_old_replica_makes_a_third_one(big: Path) -> None:
    with db.read_connection(big) as slow:
        for value in range(3):
            write(big, f"INSERT INTO small VALUES ({value})")
            assert_equal(big, publish(big, wait=0.1))
        assert slow.connection.execute("SELECT count(*) FROM small").fetchone() == (1,)


def test_publishing_without_a_warehouse_says_so(warehouse: Path) -> None:
    with pytest.raises(WarehouseError) as caught:
        publish(warehouse)
    assert caught.value.code == "WAREHOUSE_MISSING"
    assert current(warehouse) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"replica": "../x", "as_of": "2026-01-01", "live": []}', '{"replica": 1}']
)
def test_a_corrupt_pointer_counts_as_none_and_is_made_anew(big: Path, text: str) -> None:
    (big.parent / "snapshots" / big.stem / "current.json").write_text(text)
    assert current(big) is None
    with db.read_connection(big) as reader:
        assert reader.source == "live"
    assert_equal(big, publish(big))


def test_a_corrupt_replica_is_made_anew(big: Path) -> None:
    snapshot = current(big)
    assert snapshot is not None
    for replica in (big.parent / "snapshots" / big.stem).glob("*/warehouse.duckdb"):
        if replica != snapshot.path:
            replica.write_bytes(b"\0" * 20_000)
    write(big, "INSERT INTO small VALUES (2)")
    assert_equal(big, publish(big))


def test_killed_in_mid_publication_the_old_snapshot_stays_whole(big: Path) -> None:
    before = current(big)
    assert before is not None
    old = everything(before.path)
    code = f"""import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from dataflow.shared.snapshot import publish
publish(Path({str(big)!r}))"""
    for delay in (0.0, 0.05, 0.1, 0.15, 0.2, 0.3):
        write(big, f"UPDATE big SET h = {int(delay * 1000)}; INSERT INTO small VALUES ({int(delay * 100)})")
        with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:
            _wait_for_change(big)
            time.sleep(delay)
            os.killpg(process.pid, signal.SIGKILL)
        snapshot = current(big)
        assert snapshot is not None
        if snapshot.path == before.path:
            assert everything(snapshot.path) == old
        else:
            assert everything(snapshot.path) == everything(big)
            before, old = snapshot, everything(snapshot.path)
    assert_equal(big, publish(big))


def _wait_for_change(warehouse: Path) -> None:
    """Until the publication has begun to change a replica: its contents.json goes away."""
    root = warehouse.parent / "snapshots" / warehouse.stem
    deadline = time.monotonic() + 10
    while len(list(root.glob("*/contents.json"))) > 1 and time.monotonic() < deadline:
        time.sleep(0.001)
