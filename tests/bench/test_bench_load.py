"""Loading 10 million rows through shared/db.py against DuckDB's own statements in the same run.

Prints ratios (ours divided by DuckDB's speed) and the peak memory of each load's own process. Never fails on a time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
ROWS = 10_000_000
ROUNDS = 3
MEMORY_MB = 1500

CHILD = """
import json, sys, time
sys.path.insert(0, {root!r})
import duckdb, pyarrow, pyarrow.parquet
from pathlib import Path
from dataflow.shared import db
source, target = {source!r}, Path({target!r})
OWN = {{"storage_compatibility_version": "v1.4.0"}}
def ctas(path):
    with duckdb.connect(str(path), config=OWN) as con:
        con.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{{source}}')")
def copy(path):
    with duckdb.connect(str(path), config=OWN) as con:
        con.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{{source}}') LIMIT 0")
        con.execute(f"COPY t FROM '{{source}}' (FORMAT parquet)")
def load_parquet(path):
    with db.write_connection(path) as con:
        db.load_parquet(con, source, into="t")
def load_arrow(path):
    batches = pyarrow.parquet.ParquetFile(source).iter_batches(batch_size=122_880)
    schema = pyarrow.parquet.read_schema(source)
    with db.write_connection(path) as con:
        db.load_arrow(con, pyarrow.RecordBatchReader.from_batches(schema, batches), into="t")
def upsert_again(path):
    with db.write_connection(path) as con:
        result = db.load_parquet(con, source, into="t", mode="upsert", key=["id"])
        assert (result.rows_inserted, result.rows_updated) == (0, 0), result
began = time.perf_counter()
{way}(target)
seconds = time.perf_counter() - began
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({{"seconds": seconds, "mb": peak / 1024}}))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("load") / "rows.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT range AS id, hash(range) AS h, (random() * 1000)::DECIMAL(10, 2) AS amount, "
            "'customer ' || (range % 100000) AS name, TIMESTAMP '2026-01-01' + INTERVAL (range) SECOND AS at "
            f"FROM range({ROWS})) TO '{path}' (FORMAT parquet)"
        )
    return path


def measure(way: str, source: Path, target: Path) -> dict[str, float]:
    code = CHILD.format(root=str(ROOT), source=str(source), target=str(target), way=way)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # DuckDB draws a progress bar above it


def content(path: Path) -> object:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT count(*), sum(hash(t)) FROM t").fetchone()


@pytest.mark.timeout(1200)
def test_loading_ten_million_rows(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ways = ("ctas", "copy", "load_parquet", "load_arrow")
    best = {way: {"seconds": float("inf"), "mb": 0.0} for way in ways}
    contents = {}
    for round_number in range(ROUNDS):
        for way in ways if round_number % 2 else reversed(ways):
            target = tmp_path / f"{way}.duckdb"
            target.unlink(missing_ok=True)
            seen = measure(way, source, target)
            best[way]["seconds"] = min(best[way]["seconds"], seen["seconds"])
            best[way]["mb"] = max(best[way]["mb"], seen["mb"])
            contents[way] = content(target)
    again = measure("upsert_again", source, tmp_path / "load_parquet.duckdb")
    own = min(best["ctas"]["seconds"], best["copy"]["seconds"])
    with capsys.disabled():
        print(f"\nLoading {ROWS:,} rows of Parquet, best of {ROUNDS} (speed against the faster of CTAS and COPY):")
        for way in ways:
            seconds, memory = best[way]["seconds"], best[way]["mb"]
            print(f"  {way:13} {seconds:6.2f} s   {own / seconds:5.2f}x   {memory:6.0f} MB")
        print(f"  upsert of the same rows again {again['seconds']:.2f} s, {again['mb']:.0f} MB")
    assert len({str(value) for value in contents.values()}) == 1, "all ways must load the same rows"
    assert content(tmp_path / "load_parquet.duckdb") == contents["ctas"]
    assert best["load_parquet"]["mb"] < MEMORY_MB
    assert best["load_arrow"]["mb"] < MEMORY_MB
    assert again["mb"] < MEMORY_MB
