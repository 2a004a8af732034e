"""Dagster's run history as it lies in its database, read with plain SQL: importing dagster costs 150 MB.

The tables are those of the Dagster release that the project pins; a test compares what is read with what Dagster says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import psycopg

Part = Literal["runs", "events", "schedules"]
Rows = list[tuple[Any, ...]]
_PATIENCE = 3  # seconds for Postgres to answer
_STEPS = "SELECT step_key FROM event_logs WHERE dagster_event_type = 'STEP_FAILURE' AND step_key IS NOT NULL"
_FILES: dict[Part, str] = {
    "runs": "history/runs.db",
    "events": "history/runs/index.db",
    "schedules": "schedules/schedules.db",
}


class History(Protocol):
    """Dagster's tables. What goes wrong is an error of the database's library."""

    def ask(self, part: Part, sql: str) -> Rows:
        """The answer of one of its storages."""
        ...

    def failed_steps(self, run_id: str) -> list[str]:
        """The steps of a run that failed."""
        ...


class SqliteHistory:
    """The native engine's: one file per storage, and one per run."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def ask(self, part: Part, sql: str) -> Rows:
        """The answer of one of its storages."""
        return _read(self._home / _FILES[part], sql)

    def failed_steps(self, run_id: str) -> list[str]:
        """The steps of a run that failed."""
        return [str(row[0]) for row in _read(self._home / "history" / "runs" / f"{run_id}.db", _STEPS)]


class PostgresHistory:
    """The docker engine's: one database. The connection is kept, and made anew after it broke. For one thread."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection | None = None

    def ask(self, part: Part, sql: str) -> Rows:  # noqa: ARG002 - all storages are one database
        """The answer of one of its storages."""
        return self._ask(sql)

    def failed_steps(self, run_id: str) -> list[str]:
        """The steps of a run that failed."""
        return [str(row[0]) for row in self._ask(f"{_STEPS} AND run_id = %s", (run_id,))]

    def _ask(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        if self._connection is None or self._connection.closed:
            self._connection = _connected(self._conninfo)
        query = sql.encode()  # bytes: psycopg takes no str that is not a literal
        return list(self._connection.execute(query, parameters or None).fetchall())


def _connected(conninfo: str) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=_PATIENCE,
        application_name="dataflow-exporter",
        options=f"-c statement_timeout={_PATIENCE * 1000} -c default_transaction_read_only=on",
    )


def _read(file: Path, sql: str) -> Rows:
    """Nothing where there is no file yet: then nothing has happened."""
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        return connection.execute(sql).fetchall()


def seconds(value: object) -> float | None:
    """A time as Dagster keeps it, in seconds since 1970: a number, or a moment in UTC as text or value."""
    if value is None or isinstance(value, int | float):
        return value
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def listed(values: Iterable[str]) -> str:
    """Texts for `IN (…)`, quoted."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)
