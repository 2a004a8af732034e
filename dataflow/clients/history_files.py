"""The run history from DAGSTER_HOME's SQLite files, whether Dagster is up or down, without importing it.

The tables and the JSON of an event are Dagster's own (`dagster/_core/storage/{runs,event_log}/schema.py`, as pinned; a
test compares what is read with what Dagster says). Files are opened to read only: nothing here can hold up a run.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataflow.clients.dagster import innermost
from dataflow.clients.runs import EventKind, EventPage, RunEvent, state_of, statuses_of
from dataflow.errors import BackendError
from dataflow.models import Run, RunState

_WAIT = 1.0  # seconds for a writer to end
_PAGE = 500
_KINDS: dict[str, EventKind] = {
    "STEP_START": "step-started",
    "STEP_SUCCESS": "step-succeeded",
    "STEP_FAILURE": "step-failed",
    "STEP_SKIPPED": "step-skipped",
    "ASSET_CHECK_EVALUATION": "check",
    "ASSET_MATERIALIZATION": "materialized",
    "PIPELINE_START": "run",
    "PIPELINE_SUCCESS": "run",
    "PIPELINE_FAILURE": "run",
    "PIPELINE_CANCELED": "run",
    "PIPELINE_CANCELING": "run",
}
RUN_COLUMNS = "run_id, pipeline_name, status, create_timestamp, start_time, end_time"
_TAGGED = "run_id in (select run_id from run_tags where key = ? and value = ?)"


class HistoryFiles:
    """Reads the instance in `home`; one that is not there yet holds nothing. Every question can raise BackendError
    HISTORY_UNREADABLE. `canceller` makes what ends a run by its whole id: that is no question and needs Dagster.
    """

    def __init__(self, home: Path, canceller: Callable[[], Callable[[str], bool]]) -> None:
        self._folder = home / "history"
        self._canceller = canceller

    def runs(
        self,
        *,
        workflow: str | None = None,
        states: Sequence[RunState] = (),
        since: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int = 20,
    ) -> list[Run]:
        """The newest runs first: of one workflow, in one of some states, made since then, with these tags."""
        statuses = statuses_of(states)
        wanted: dict[str, Sequence[str]] = {
            "pipeline_name = ?": [workflow] if workflow else [],
            f"status in ({', '.join('?' * len(statuses))})": statuses,
            "create_timestamp >= ?": [_as_written(since)] if since else [],
        }
        parts = [(clause, values) for clause, values in wanted.items() if values]
        parts += [(_TAGGED, item) for item in (tags or {}).items()]
        where = f"where {' and '.join(clause for clause, _ in parts)}" if parts else ""
        values = tuple(value for _, part in parts for value in part)
        return self._runs(f"{where} order by id desc limit {int(limit)}", values)

    def run(self, run_id: str) -> Run | None:
        """One run by its whole id."""
        return next(iter(self._runs("where run_id = ?", (run_id,))), None)

    def events(self, run_id: str, cursor: str | None = None) -> EventPage:
        """What happened after `cursor`, which may come from the running Dagster as well."""
        after = _storage_id(cursor)
        sql = f"select id, event from event_logs where run_id = ? and id > ? order by id limit {_PAGE}"
        with opened(self._folder / "runs" / f"{run_id}.db") as connection:
            rows = _if_made(connection, sql, (run_id, after)) if connection else []
        last = rows[-1]["id"] if rows else after
        return EventPage(tuple(_event(json.loads(row["event"])) for row in rows), _cursor(last))

    def cancel(self, run_id: str) -> bool:
        """Ask a run to end; False where it is not running."""
        return self._canceller()(run_id)

    def _runs(self, clause: str, values: tuple[str, ...]) -> list[Run]:
        with opened(self._folder / "runs.db") as connection:
            rows = _if_made(connection, f"select {RUN_COLUMNS} from runs {clause}", values) if connection else []
            return [run_of(row, tags_of(connection, row["run_id"])) for row in rows if connection]


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection | None]:
    """A database to read; None where it is not there. Raises BackendError HISTORY_UNREADABLE, whatever it holds."""
    if not path.is_file():
        yield None
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        message = f"The run history in {path} cannot be read: {error}."
        raise BackendError(message, code="HISTORY_UNREADABLE", retryable=True) from error


def tags_of(connection: sqlite3.Connection, run_id: str) -> dict[str, str]:
    """A run's tags without Dagster's hidden ones."""
    rows = connection.execute("select key, value from run_tags where run_id = ?", (run_id,))
    return {row["key"]: row["value"] for row in rows if not row["key"].startswith(".dagster/")}


def run_of(row: sqlite3.Row, tags: dict[str, str]) -> Run:
    """A row of RUN_COLUMNS."""
    return Run(
        id=row["run_id"],
        workflow=row["pipeline_name"],
        state=state_of(row["status"]),
        created=written(row["create_timestamp"]),
        started=counted(row["start_time"]),
        ended=counted(row["end_time"]),
        tags=tags,
    )


def written(text: str | None) -> datetime | None:
    """A moment that SQLite holds as text, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _as_written(moment: datetime) -> str:
    """A moment as SQLite holds it: its texts have the order of time."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def counted(seconds: float | None) -> datetime | None:
    """A moment in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _if_made(connection: sqlite3.Connection, sql: str, values: tuple[Any, ...]) -> list[sqlite3.Row]:
    """Rows; none from a file whose tables are only being made: then nothing has happened yet."""
    try:
        return connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise


def _event(entry: Mapping[str, Any]) -> RunEvent:
    """An event as Dagster keeps it (`EventLogEntry` as JSON)."""
    event: Mapping[str, Any] | None = entry.get("dagster_event")
    kind: EventKind = _KINDS.get(event["event_type_value"], "other") if event else "log"
    data: Mapping[str, Any] = (event or {}).get("event_specific_data") or {}
    message = (event.get("message") if event else entry.get("user_message")) or ""
    check = kind == "check"
    if check:
        message = f"{'/'.join(data['asset_key']['path'])}:{data['check_name']}"
    return RunEvent(
        time=datetime.fromtimestamp(entry["timestamp"], UTC),
        kind=kind,
        level=_level(entry["level"]),
        message=message,
        step=entry.get("step_key"),
        error=_error(data.get("error")),
        passed=(bool(data["success"]) or "WARN" in str(data.get("severity"))) if check else None,
    )


def _error(info: Mapping[str, Any] | None) -> str | None:
    if not info:
        return None
    messages: list[str] = []
    while info:
        messages.append(info["message"])
        info = info.get("cause")
    return innermost(messages)


def _level(level: str | int) -> str:
    return (logging.getLevelName(level) if isinstance(level, int) else str(level)).lower()


def _storage_id(cursor: str | None) -> int:
    """The id in a cursor of Dagster's (`EventLogCursor`)."""
    return int(json.loads(base64.b64decode(cursor))["value"]) if cursor else 0


def _cursor(storage_id: int) -> str:
    return base64.b64encode(json.dumps({"type": "STORAGE_ID", "value": storage_id}).encode()).decode()
