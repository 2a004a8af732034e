"""The glance from DAGSTER_HOME's SQLite files, whether Dagster is up or down, without importing it.

The tables are Dagster's own (`dagster/_core/storage/{runs,event_log}/schema.py`, as pinned). Files are opened to read
only: nothing here can hold up a run.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from dataflow.clients.glance import AssetSeen, CheckSeen, DataSeen
from dataflow.clients.history_files import RUN_COLUMNS, counted, opened, run_of, tags_of, written
from dataflow.models import Run

_RUNS = f"""
select {RUN_COLUMNS} from runs
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
        with opened(self._runs) as connection:
            rows = connection.execute(_RUNS).fetchall() if connection else []
            return [run_of(row, tags_of(connection, row["run_id"])) for row in rows if connection]

    def data(self) -> DataSeen:
        """Assets that were computed at least once, and checks. Raises BackendError HISTORY_UNREADABLE."""
        with opened(self._events) as connection:
            if connection is None:
                return DataSeen((), ())
            assets = connection.execute("select asset_key, last_materialization from asset_keys").fetchall()
            checks = connection.execute(_CHECKS).fetchall()
            return DataSeen(tuple(map(_asset, assets)), tuple(map(_check, checks)))


def _asset(row: sqlite3.Row) -> AssetSeen:
    record: dict[str, Any] = json.loads(row["last_materialization"] or "{}")
    event = record.get("event_log_entry", record)
    return AssetSeen("/".join(json.loads(row["asset_key"])), counted(event.get("timestamp")))


def _check(row: sqlite3.Row) -> CheckSeen:
    event: dict[str, Any] = json.loads(row["evaluation_event"] or "{}")
    data = (event.get("dagster_event") or {}).get("event_specific_data") or {}
    warns = "WARN" in str(data.get("severity", ""))
    return CheckSeen(
        "/".join(json.loads(row["asset_key"])),
        row["check_name"],
        passed=row["execution_status"] == "SUCCEEDED",
        severity="warning" if warns else "error",
        time=written(row["evaluation_event_timestamp"]),
    )
