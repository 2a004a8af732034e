"""The glance from DAGSTER_HOME's SQLite files, whether Dagster is up or down, without importing it.

The tables are Dagster's own (`dagster/_core/storage/{runs,event_log}/schema.py`, as pinned). Files are opened to read
only: nothing here can hold up a run.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataflow.clients.glance import AssetSeen, CheckSeen, DataSeen
from dataflow.clients.runs import state_of
from dataflow.errors import BackendError
from dataflow.models import Run

_WAIT = 1.0  # seconds for a writer to end
_RUNS = """
select run_id, pipeline_name, status, create_timestamp, start_time, end_time from runs
where id in (select max(id) from runs where pipeline_name not like '\\_\\_%' escape '\\' group by pipeline_name)
"""
_CHECKS = """
select asset_key, check_name, execution_status, evaluation_event, evaluation_event_timestamp
from asset_check_executions where id in (
  select max(id) from asset_check_executions where execution_status != 'PLANNED' group by asset_key, check_name
)"""


class FilesGlance:
    """Reads the history of the instance in `home`. One that is not there yet holds nothing."""

    def __init__(self, home: Path) -> None:
        self._runs = home / "history" / "runs.db"
        self._events = home / "history" / "runs" / "index.db"

    def last_runs(self) -> list[Run]:
        """The newest run of each workflow. Raises BackendError HISTORY_UNREADABLE."""
        with _open(self._runs) as connection:
            rows = connection.execute(_RUNS).fetchall() if connection else []
            return [_run(row, _tags(connection, row["run_id"])) for row in rows if connection]

    def data(self) -> DataSeen:
        """Assets that were computed at least once, and checks. Raises BackendError HISTORY_UNREADABLE."""
        with _open(self._events) as connection:
            if connection is None:
                return DataSeen((), ())
            assets = connection.execute("select asset_key, last_materialization from asset_keys").fetchall()
            checks = connection.execute(_CHECKS).fetchall()
            return DataSeen(tuple(map(_asset, assets)), tuple(map(_check, checks)))


@contextmanager
def _open(path: Path) -> Generator[sqlite3.Connection | None]:
    if not path.is_file():
        yield None
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        message = f"The run history in {path} cannot be read: {error}."
        raise BackendError(message, code="HISTORY_UNREADABLE", retryable=True) from error


def _tags(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    rows = connection.execute("select key, value from run_tags where run_id = ?", (run_id,))
    return {row["key"]: row["value"] for row in rows if not row["key"].startswith(".dagster/")}


def _run(row: sqlite3.Row, tags: dict[str, str]) -> Run:
    return Run(
        id=row["run_id"],
        workflow=row["pipeline_name"],
        state=state_of(row["status"]),
        created=_written(row["create_timestamp"]),
        started=_counted(row["start_time"]),
        ended=_counted(row["end_time"]),
        tags=tags,
    )


def _asset(row: sqlite3.Row) -> AssetSeen:
    record: dict[str, Any] = json.loads(row["last_materialization"] or "{}")
    event = record.get("event_log_entry", record)
    return AssetSeen("/".join(json.loads(row["asset_key"])), _counted(event.get("timestamp")))


def _check(row: sqlite3.Row) -> CheckSeen:
    event: dict[str, Any] = json.loads(row["evaluation_event"] or "{}")
    data = (event.get("dagster_event") or {}).get("event_specific_data") or {}
    warns = "WARN" in str(data.get("severity", ""))
    return CheckSeen(
        "/".join(json.loads(row["asset_key"])),
        row["check_name"],
        passed=row["execution_status"] == "SUCCEEDED",
        severity="warning" if warns else "error",
        time=_written(row["evaluation_event_timestamp"]),
    )


def _written(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _counted(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
