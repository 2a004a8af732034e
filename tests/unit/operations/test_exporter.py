"""Sources over real files, and a collector that no source can hold up."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.engines import probes
from dataflow.operations.exporter.assets import AssetSource, MaxAges
from dataflow.operations.exporter.collector import Collector, families
from dataflow.operations.exporter.data import BackupSource
from dataflow.operations.exporter.history import SqliteHistory
from dataflow.operations.exporter.log_lines import FileLines
from dataflow.operations.exporter.metrics import METRICS, Distribution, Reading
from dataflow.operations.exporter.runs import RunSource
from dataflow.operations.exporter.services import SeenRestarts
from dataflow.operations.exporter.sources import sources

CREATED = "2026-11-25 10:00:00.000000"
BEGAN = 1795600800.0  # the same moment


class Answers:
    name = "answers"
    every = 0.0

    def read(self) -> Iterable[Reading]:
        return [Reading("dataflow_backups", (), 3)]


class Hangs:
    name = "hangs"
    every = 0.0

    def read(self) -> Iterable[Reading]:
        time.sleep(1)
        return [Reading("dataflow_backup_bytes", (), 1)]


class Breaks:
    name = "breaks"
    every = 0.0

    def __init__(self) -> None:
        self.down = False

    def read(self) -> Iterator[Reading]:
        if self.down:
            raise ConnectionError("nobody is there")
        yield Reading("dataflow_memory_size_bytes", (), 5)


def values(readings: Iterable[Reading]) -> dict[tuple[str, ...], object]:
    return {(reading.metric.removeprefix("dataflow_"), *reading.labels): reading.value for reading in readings}


def test_a_source_that_hangs_costs_its_own_metrics_and_no_time() -> None:
    collector = Collector([Answers(), Hangs()])
    began = time.monotonic()
    found = values(collector.readings(patience=0.05))
    assert time.monotonic() - began < 0.5
    assert (found["backups",], found["source_up", "answers"], found["source_up", "hangs"]) == (3, 1.0, 0.0)
    assert ("backup_bytes",) not in found
    assert values(collector.readings(patience=3))["backup_bytes",] == 1


def test_a_source_that_fails_says_so_and_its_last_readings_stay_for_a_while() -> None:
    source = Breaks()
    collector = Collector([source])
    assert values(collector.readings(patience=2))["source_up", "breaks"] == 1.0
    source.down = True
    found = values(collector.readings(patience=2))
    assert (found["source_up", "breaks"], found["source_errors_total", "breaks"]) == (0.0, 1)
    assert found["memory_size_bytes",] == 5


def test_readings_become_what_prometheus_reads() -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families  # noqa: F401 - it is there
    from prometheus_client.parser import text_string_to_metric_families as parsed

    from dataflow.operations.exporter.server import application

    counts = ((1.0, 2), (float("inf"), 3))
    constant = [
        Reading("dataflow_run_duration_seconds", ('a"b\n',), Distribution(counts, 9.5)),
        Reading("dataflow_runs_total", ("a", "success"), 3),
    ]
    app = application(Collector([], constant), lambda message: None)
    text = b"".join(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "QUERY_STRING": ""}, lambda *_: None))
    found = {family.name: family for family in parsed(text.decode())}
    histogram = found["dataflow_run_duration_seconds"]
    assert [(sample.labels["le"], sample.value) for sample in histogram.samples[:2]] == [("1", 2.0), ("+Inf", 3.0)]
    assert histogram.samples[0].labels["workflow"] == 'a"b\n'
    assert found["dataflow_runs"].type == "counter"


def test_every_metric_keeps_the_conventions() -> None:
    for name, metric in METRICS.items():
        assert metric.help.endswith("."), name
        assert name.endswith("_total") == (metric.kind == "counter"), name
        assert not any(word in name for word in ("_ms", "_mb", "_minutes", "_percent")), name
    assert {family.name for family in families([Reading("dataflow_backups", (), 1)])} == {"dataflow_backups"}  # type: ignore[attr-defined]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, sql in {
        "history/runs.db": "CREATE TABLE runs (id INTEGER PRIMARY KEY, run_id, pipeline_name, status,"
        " create_timestamp, start_time, end_time); CREATE TABLE run_tags (run_id, key, value)",
        "schedules/schedules.db": "CREATE TABLE instigators (status, instigator_type, instigator_body)",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        with sqlite3.connect(file) as connection:
            connection.executescript(sql)
    return tmp_path


def run(home: Path, number: int, status: str, *, took: float | None = 10.0, schedule: str = "", at: float = 0) -> None:
    with sqlite3.connect(home / "history" / "runs.db") as connection:
        created = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(BEGAN + at))
        started = BEGAN + at + 2
        connection.execute(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, 'job', ?, ?, ?, ?)",
            (number, f"r{number}", status, created, started, started + took if took else None),
        )
        if schedule:
            connection.execute("INSERT INTO run_tags VALUES (?, 'dagster/schedule_name', ?)", (f"r{number}", schedule))


def test_runs_are_counted_once_although_some_end_later_than_others(home: Path) -> None:
    source = RunSource(SqliteHistory(home))
    run(home, 1, "SUCCESS")
    run(home, 2, "STARTED", took=None)
    run(home, 3, "FAILURE")
    found = values(source.read())
    assert (found["runs_total", "job", "success"], found["runs_total", "job", "failure"]) == (1, 1)
    assert found["runs_open", "job", "running"] == 1
    assert found["workflow_last_run_success", "job"] == 0.0
    assert values(source.read())["runs_total", "job", "failure"] == 1
    run(home, 2, "SUCCESS", took=100)
    found = values(source.read())
    assert (found["runs_total", "job", "success"], found["runs_total", "job", "failure"]) == (2, 1)
    assert found["workflow_last_run_success", "job"] == 1.0, "it ended last"
    assert found["run_queue_seconds", "job"] == Distribution(
        tuple((bound, 0 if bound < 2 else 3) for bound, _ in found["run_queue_seconds", "job"].counts), 6.0  # type: ignore[attr-defined]
    )  # fmt: skip


def test_a_history_that_was_restored_is_counted_anew(home: Path) -> None:
    source = RunSource(SqliteHistory(home))
    for number in (1, 2, 3):
        run(home, number, "SUCCESS")
    assert values(source.read())["runs_total", "job", "success"] == 3
    with sqlite3.connect(home / "history" / "runs.db") as connection:
        connection.execute("DELETE FROM runs WHERE id > 1")
    assert values(source.read())["runs_total", "job", "success"] == 1


def test_a_schedule_has_a_beat_until_somebody_turns_it_off(home: Path) -> None:
    for number in range(1, 6):
        run(home, number, "SUCCESS", schedule="hourly", at=3600 * number)
    found = values(RunSource(SqliteHistory(home)).read())
    assert found["schedule_typical_interval_seconds", "job", "hourly"] == 3600
    assert found["schedule_last_run_timestamp_seconds", "job", "hourly"] == BEGAN + 5 * 3600
    assert found["run_typical_duration_seconds", "job"] == 10
    with sqlite3.connect(home / "schedules" / "schedules.db") as connection:
        body = json.dumps({"origin": {"instigator_name": "hourly"}})
        connection.execute("INSERT INTO instigators VALUES ('STOPPED', 'SCHEDULE', ?)", (body,))
    assert ("schedule_typical_interval_seconds", "job", "hourly") not in values(RunSource(SqliteHistory(home)).read())


def test_without_a_history_there_are_no_runs_and_no_error(tmp_path: Path) -> None:
    assert list(RunSource(SqliteHistory(tmp_path)).read()) == []


def test_assets_and_checks_count_as_long_as_a_workflow_has_them(home: Path, tmp_path: Path) -> None:
    run(home, 1, "SUCCESS")
    index = home / "history" / "runs" / "index.db"
    index.parent.mkdir()
    with sqlite3.connect(index) as connection:
        connection.executescript(
            "CREATE TABLE asset_keys (asset_key, last_materialization_timestamp, last_run_id, wipe_timestamp);"
            f"INSERT INTO asset_keys VALUES ('[\"a\", \"b\"]', '{CREATED}', 'r1', NULL),"
            f" ('[\"gone\"]', '{CREATED}', 'r1', 0),"
            f" ('[\"wiped\"]', '{CREATED}', 'r1', '{CREATED[:-1]}1');"
            "CREATE TABLE asset_check_executions (id INTEGER PRIMARY KEY, asset_key, check_name, run_id,"
            " execution_status, evaluation_event, evaluation_event_storage_id)"
        )
        for number, (check, status, event) in enumerate([
            ("good", "FAILED", "AssetCheckSeverity.ERROR"), ("good", "SUCCEEDED", ""), ("good", "PLANNED", ""),
            ("bad", "FAILED", '"AssetCheckSeverity.ERROR"'), ("mild", "FAILED", '"AssetCheckSeverity.WARN"'),
            ("old", "FAILED", ""),
        ]):  # fmt: skip
            connection.execute(
                "INSERT INTO asset_check_executions VALUES (?, '[\"a\", \"b\"]', ?, 'r1', ?, ?, ?)",
                (number, check, status, event, number),
            )
    paths = ProjectPaths(tmp_path)
    source = AssetSource(SqliteHistory(home), MaxAges(paths))
    found = values(source.read())
    assert ("asset_last_materialization_timestamp_seconds", "job", "gone") in found, "nobody has looked at the code yet"
    checks = ["a/b:good", "a/b:bad", "a/b:mild"]
    workflow = {"name": "job", "description": "", "folder": ".", "assets": ["a/b", "wiped"], "checks": checks}
    paths.run.mkdir(parents=True)
    catalogue = {"workflows": [{**workflow, "freshness": {"a/b": 60.0}}], "findings": []}
    (paths.run / "workflows.json").write_text(json.dumps({"key": "x", "catalogue": catalogue}))
    assert values(source.read()) == {
        ("asset_last_materialization_timestamp_seconds", "job", "a/b"): BEGAN,
        ("asset_max_age_seconds", "job", "a/b"): 60.0,
        ("check_passed", "job", "a/b", "bad"): 0.0,
        ("check_passed", "job", "a/b", "good"): 1.0,
        ("check_passed", "job", "a/b", "mild"): 1.0,
    }


def test_a_dead_back_end_costs_its_own_metrics_only(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    probes.save(paths.run, [probes.Target("object-store", address="127.0.0.1:1")])
    broken = paths.dagster_home / "history" / "runs.db"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"this is no database, but long enough to be taken for one" * 100)
    paths.logs.mkdir()
    collector = Collector(sources("native", paths, {"DATAFLOW_S3_ENDPOINT": "http://127.0.0.1:1"}))
    found = values(collector.readings(patience=20))
    up = {key[1]: value for key, value in found.items() if key[0] == "source_up"}
    assert {name for name, value in up.items() if value == 0.0} == {"runs", "buckets"}
    assert found["service_up", "object-store"] == 0.0
    assert found["disk_free_bytes",]


def test_lines_are_counted_by_level_over_rotation_and_from_now_on(tmp_path: Path) -> None:
    log = tmp_path / "web.jsonl"
    log.write_text('{"level": "error", "message": "from before"}\n')
    source = FileLines(tmp_path)
    with log.open("a") as file:
        file.write('{"level": "error", "message": "x"}\nplain\n{"level": "info", "mess')
    assert values(source.read()) == {("log_lines_total", "web", "error"): 1, ("log_lines_total", "web", "none"): 1}
    with log.open("a") as file:
        file.write('age": "y"}\n')
    assert values(source.read())["log_lines_total", "web", "info"] == 1
    log.rename(tmp_path / "web.jsonl.1")
    log.write_text('{"level": "error", "message": "z"}\n')
    assert values(source.read())["log_lines_total", "web", "error"] == 2


def test_a_backup_is_as_old_as_its_name_says(tmp_path: Path) -> None:
    assert values(BackupSource(tmp_path / "none").read()) == {("backups",): 0, ("backup_bytes",): 0}
    for name in ("20261124T100000Z-native", "20261125T100000Z-docker", ".20261126T100000Z-native.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "warehouse.duckdb").write_bytes(b"1234")
    found = values(BackupSource(tmp_path).read())
    assert found == {("backups",): 2, ("backup_bytes",): 8, ("backup_last_timestamp_seconds",): BEGAN}


def test_a_service_that_answered_and_no_longer_does_has_ended() -> None:
    seen = SeenRestarts()
    for up in (False, True, True, False, True, False):
        ends = seen({"web": up})
    assert ends == {"web": 2}
