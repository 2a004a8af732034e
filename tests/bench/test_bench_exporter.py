"""A scrape of a platform with a history, and the exporter's memory, against prometheus_client alone in the same run."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from dataflow.engines import probes
from dataflow.shared import db, snapshot
from dataflow.system.http import ask
from dataflow.system.ports import next_free
from tests.bench.test_bench_cli import timed
from tests.conftest import Project

pytestmark = pytest.mark.bench
RUNS, ASSETS, TABLES = 20_000, 200, 50
PEER = """
import sys, time
from prometheus_client import Gauge, start_http_server
gauge = Gauge("peer", "As many series as ours.", ["number"])
for number in range(int(sys.argv[2])):
    gauge.labels(str(number)).set(number)
start_http_server(int(sys.argv[1]), "127.0.0.1")
time.sleep(600)
"""


def fill(state: Path) -> None:
    """A run history, assets with a check each, and tables."""
    runs, index = state / "dagster/history/runs.db", state / "dagster/history/runs/index.db"
    index.parent.mkdir(parents=True)
    with sqlite3.connect(runs) as connection:
        connection.executescript(
            "CREATE TABLE runs (id INTEGER PRIMARY KEY, run_id, pipeline_name, status, create_timestamp, start_time,"
            " end_time); CREATE TABLE run_tags (run_id, key, value); CREATE INDEX tags ON run_tags (run_id)"
        )
        rows = ((n, f"r{n}", f"job{n % 20}", "SUCCESS", "2026-11-25 10:00:00", n + 0.0, n + 9.0) for n in range(RUNS))
        connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    with sqlite3.connect(index) as connection:
        connection.executescript(
            "CREATE TABLE asset_keys (asset_key, last_materialization_timestamp, last_run_id, wipe_timestamp);"
            "CREATE TABLE asset_check_executions (id INTEGER PRIMARY KEY, asset_key, check_name, run_id,"
            " execution_status, evaluation_event, evaluation_event_storage_id)"
        )
        for number in range(ASSETS):
            key = json.dumps([f"asset{number}"])
            connection.execute("INSERT INTO asset_keys VALUES (?, '2026-11-25 10:00:00', 'r1', NULL)", (key,))
            connection.execute(
                "INSERT INTO asset_check_executions VALUES (?, ?, 'c', 'r1', 'SUCCEEDED', '{}', 1)", (number, key)
            )
    warehouse = state / "warehouse.duckdb"
    with db.write_connection(warehouse) as writer:
        for number in range(TABLES):
            writer.execute(f"CREATE TABLE t{number} AS FROM range(1000)")
    snapshot.publish(warehouse)


@contextmanager
def serving(command: list[str], port: int, env: dict[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, *command], env=env, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                ask(f"http://127.0.0.1:{port}/metrics", timeout=30)
                break
            except OSError:
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def scrapes(port: int) -> list[float]:
    """Seconds of 15 scrapes, a second apart, so that every source is due now and then."""
    found = []
    for _ in range(15):
        found.append(timed(lambda: ask(f"http://127.0.0.1:{port}/metrics", timeout=30)))
        time.sleep(1)
    return sorted(found)


def test_a_scrape_and_its_memory(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("dataflow.toml", "")
    fill(tmp_path / ".dataflow")
    probes.save(tmp_path / ".dataflow" / "run", [probes.Target("object-store", address="127.0.0.1:1")])
    port, other = next_free(43000), next_free(44000)
    env = {**project.env(), "DATAFLOW_PROJECT_DIR": str(tmp_path), "DATAFLOW_S3_ENDPOINT": "http://127.0.0.1:1"}
    ours = ["-m", "dataflow.operations.exporter", "native", f"127.0.0.1:{port}"]
    with serving(ours, port, env) as process:
        time.sleep(5)
        text = ask(f"http://127.0.0.1:{port}/metrics").text
        assert 'dataflow_table_rows{schema="main",table="t1"} 1000.0' in text
        series = len([line for line in text.splitlines() if not line.startswith("#")])
        seconds, memory = scrapes(port), process.memory_info().rss / 1e6
    with serving(["-c", PEER, str(other), str(series)], other, env) as process:
        theirs, least = scrapes(other), process.memory_info().rss / 1e6
    print(
        f"\nscrape of {RUNS:,} runs, {ASSETS} assets, {TABLES} tables: {series} series, a store that is down\n"
        f"  median {seconds[7]:.3f} s, slowest {seconds[-1]:.3f} s (budget 0.20)  prometheus_client alone "
        f"{theirs[7]:.3f} s  ratio {seconds[7] / theirs[7]:.1f}\n"
        f"  memory {memory:.0f} MB (budget 80)                 prometheus_client alone {least:.0f} MB  "
        f"ratio {memory / least:.1f}"
    )
