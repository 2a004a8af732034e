"""What a publication costs: it must grow with what changed, not with the warehouse. Ratios are printed, not judged."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import duckdb
import pytest

from dataflow.shared import db
from dataflow.shared.snapshot import Published, publish

pytestmark = pytest.mark.bench

UNIT = 2_000_000
ROUNDS = 5


def warehouse(folder: Path, times: int) -> Path:
    """So many big tables that a small change leaves alone, and a small one; both replicas filled."""
    path = folder / f"x{times}" / "warehouse.duckdb"
    with db.write_connection(path) as connection:
        for number in range(times):
            connection.execute(
                f"CREATE TABLE big{number} AS SELECT range AS id, hash(range) AS h, 'name ' || range AS name, "
                f"random() AS v FROM range({UNIT})"
            )
        connection.execute("CREATE TABLE small AS SELECT range AS id FROM range(1000)")
    publish(path)
    change(path, "INSERT INTO small VALUES (0)")
    return path


def change(path: Path, sql: str) -> Published:
    with db.write_connection(path) as connection:
        connection.execute(sql)
    return publish(path)


def count(path: Path, table: str) -> object:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(f"SELECT count(*), sum(hash(t)) FROM {table} t").fetchone()


@pytest.mark.timeout(1200)
def test_publishing_costs_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost, size = {}, {}
    for times in (1, 8):
        path = warehouse(tmp_path, times)
        size[times] = path.stat().st_size / 1e6
        seen = [change(path, f"INSERT INTO small VALUES ({number})") for number in range(ROUNDS)]
        cost[times] = statistics.median(one.seconds for one in seen)
        assert all(one.tables == ('"main"."small"',) for one in seen)
        assert count(seen[-1].path, "small") == count(path, "small")
    began = time.perf_counter()
    with duckdb.connect() as connection:  # the peer: DuckDB's own way to copy a whole database
        connection.execute(f"ATTACH '{path}' AS live (READ_ONLY); ATTACH '{tmp_path / 'whole.duckdb'}' AS whole")
        connection.execute("COPY FROM DATABASE live TO whole")
    whole = time.perf_counter() - began
    one_percent = [
        change(path, f"INSERT INTO big0 SELECT range, 1, 'new', 0 FROM range({UNIT // 100})") for _ in range(ROUNDS)
    ]
    assert count(one_percent[-1].path, "big0") == count(path, "big0")
    assert max(one.rows for one in one_percent) < UNIT / 2
    append = statistics.median(one.seconds for one in one_percent)
    with capsys.disabled():
        print("\nPublishing the snapshot:")
        print(f"  the same small change, warehouse of {size[1]:.0f} MB: {cost[1]:.3f} s")
        print(f"  the same small change, warehouse of {size[8]:.0f} MB: {cost[8]:.3f} s   {cost[8] / cost[1]:.2f}x")
        print(f"  1 % appended to a table of {UNIT:,} rows:   {append:.3f} s   rows copied {one_percent[-1].rows:,}")
        print(f"  copying the whole warehouse instead:      {whole:.3f} s   {whole / cost[8]:.0f}x the small change")
