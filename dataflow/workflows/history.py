"""Run history out of one Dagster storage and into another: the native engine's SQLite files, the docker one's Postgres.

Rows of runs, schedules and limits are copied as they are. Events are stored anew, in their order, through Dagster: the
two storages keep and index them differently. Both sides are digested in the same way, so equal digests mean that
nothing is lost. Called as `python -m dataflow.workflows.history export|load|digest [FILE]`; prints the counts as JSON.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import sqlalchemy as db
    from dagster import DagsterInstance

FORMAT = 1
_PAGE = 1000
# By storage, in an order in which references hold. Heartbeats, slots and versions are of one installation: left out.
_RUN_TABLES = ("snapshots", "runs", "run_tags", "bulk_actions", "backfill_tags", "kvs")
_SCHEDULE_TABLES = ("jobs", "instigators", "job_ticks", "asset_daemon_asset_evaluations")
_LIMITS = "concurrency_limits"
_EVENT_TABLES = ("dynamic_partitions", _LIMITS)
_TIMES_OF_INSERTION = {"id", "create_timestamp", "update_timestamp"}


@dataclass(frozen=True, slots=True)
class Counts:
    """What a history holds. `digest` is over all of its content, whatever storage it is in."""

    runs: int
    events: int
    rows: int
    digest: str


def export(instance: DagsterInstance, path: Path) -> Counts:
    """Write the whole history to a gzip file of JSON lines."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        _line(file, {"format": FORMAT})
        for name, row in _rows(instance):
            _line(file, {"table": name, "row": row})
        for run_id in _run_ids(instance):
            for event in _events(instance, run_id):
                _line(file, {"event": event})
    return counts(instance)


def load(instance: DagsterInstance, path: Path) -> Counts:
    """Bring the history of a file into an instance that has none yet."""
    from dagster import EventLogEntry
    from dagster._serdes import deserialize_value

    batch: list[dict[str, Any]] = []
    current = ""
    for line in _lines(path):
        if line.get("table", "") != current:
            _insert(instance, current, batch)
            current, batch = line.get("table", ""), []
        if current:
            batch.append({key: _revived(value) for key, value in line["row"].items()})
            if len(batch) >= _PAGE:
                _insert(instance, current, batch)
                batch = []
        elif "event" in line:
            instance.event_log_storage.store_event(deserialize_value(line["event"], EventLogEntry))
    _insert(instance, current, batch)
    return counts(instance)


def counts(instance: DagsterInstance) -> Counts:
    """Count and digest a history. Order counts only for the events of a run; ids and times of insertion do not."""
    rows = sorted(
        json.dumps([name, {key: value for key, value in row.items() if key not in _left_out(name)}], sort_keys=True)
        for name, row in _rows(instance)
    )
    total = hashlib.sha256("\n".join(rows).encode())
    events, run_ids = 0, sorted(_run_ids(instance))
    for run_id in run_ids:
        for event in _events(instance, run_id):
            total.update(hashlib.sha256(event.encode()).digest())
            events += 1
    return Counts(len([run_id for run_id in run_ids if run_id]), events, len(rows), total.hexdigest())


def _left_out(table: str) -> set[str]:
    """When a run was made is a fact about it; when a row of the rest was, is not."""
    return {"id"} if table == "runs" else _TIMES_OF_INSERTION


def _tables(instance: DagsterInstance) -> Iterator[tuple[str, tuple[Any, db.Table]]]:
    """(name, (how to connect, the table)) of every table whose rows are copied."""
    from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
    from dagster._core.storage.runs.schema import RunStorageSqlMetadata
    from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata

    runs: Any = instance.run_storage
    events: Any = instance.event_log_storage
    schedules: Any = instance.schedule_storage
    yield from ((name, (runs.connect, RunStorageSqlMetadata.tables[name])) for name in _RUN_TABLES)
    yield from ((name, (schedules.connect, ScheduleStorageSqlMetadata.tables[name])) for name in _SCHEDULE_TABLES)
    yield from ((name, (events.index_connection, SqlEventLogStorageMetadata.tables[name])) for name in _EVENT_TABLES)


def _rows(instance: DagsterInstance) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row that is copied, as JSON can hold it, by table and in the order of insertion."""
    for name, (connect, table) in _tables(instance):
        with connect() as connection:
            for row in connection.execute(table.select().order_by(table.c.id)).mappings():
                yield name, {key: _plain(value) for key, value in row.items() if key != "id"}


def _run_ids(instance: DagsterInstance) -> list[str]:
    """The runs, the oldest first, and last the empty id under which Dagster keeps events of no run."""
    from dagster._core.storage.runs.schema import RunsTable

    storage: Any = instance.run_storage
    with storage.connect() as connection:
        found = connection.execute(RunsTable.select().order_by(RunsTable.c.id)).mappings()
        return [*(str(row["run_id"]) for row in found), ""]


def _events(instance: DagsterInstance, run_id: str) -> Iterator[str]:
    """The events of a run in their order, each as Dagster serializes it."""
    from dagster._serdes import serialize_value

    cursor = None
    while True:
        page = instance.event_log_storage.get_records_for_run(run_id, cursor=cursor, limit=_PAGE)
        yield from (serialize_value(record.event_log_entry) for record in page.records)
        if not page.has_more:
            return
        cursor = page.cursor


def _insert(instance: DagsterInstance, name: str, rows: list[dict[str, Any]]) -> None:
    if name == _LIMITS:
        _set_limits(instance, rows)
    elif rows:
        tables = dict(_tables(instance))
        connect, table = tables[name]
        known = {column.name for column in table.columns}
        with connect() as connection:
            connection.execute(table.insert(), [{key: row[key] for key in row if key in known} for row in rows])


def _set_limits(instance: DagsterInstance, rows: list[dict[str, Any]]) -> None:
    """Through Dagster: a limit has a row per slot beside it, and without them its pool is blocked for ever."""
    for row in rows:
        if row.get("using_default_limit"):
            instance.event_log_storage.initialize_concurrency_limit_to_default(row["concurrency_key"])
        else:
            instance.event_log_storage.set_concurrency_slots(row["concurrency_key"], row["limit"])


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return {"$time": value.isoformat()}
        case bytes() | memoryview():
            return {"$bytes": base64.b64encode(bytes(value)).decode()}
        case _:
            return value


def _revived(value: Any) -> Any:
    match value:
        case {"$time": text}:
            return datetime.fromisoformat(text)
        case {"$bytes": text}:
            return base64.b64decode(text)
        case _:
            return value


def _line(file: TextIO, data: object) -> None:
    file.write(json.dumps(data) + "\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        head = json.loads(next(file))
        if head.get("format") != FORMAT:
            raise ValueError(f"{path} has the format {head.get('format')}, not {FORMAT}.")
        yield from (json.loads(line) for line in file)


def main(arguments: list[str]) -> int:
    """Run a command and print the counts."""
    from dagster import DagsterInstance

    command, *files = arguments
    with DagsterInstance.get() as instance:
        match command:
            case "export":
                found = export(instance, Path(files[0]))
            case "load":
                found = load(instance, Path(files[0]))
            case _:
                found = counts(instance)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
