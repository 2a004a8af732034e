"""Rows that changed since the last run, in batches: the cursor is the column `updated_at`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflow.shared.db import postgres_connection

from .settings import PostgresSource, SqliteSource

BATCH = 10_000  # rows in memory at once
EVER = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = ("id", "name", "email", "country", "updated_at")
SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "name": pa.string(),
        "email": pa.string(),
        "country": pa.string(),
        "updated_at": pa.timestamp("us", tz="UTC"),
    }
)
SQL = f"select {', '.join(COLUMNS)} from customers where updated_at >= {{}} order by updated_at, id"


def read(source: SqliteSource | PostgresSource, folder: Path, since: datetime | None) -> Iterator[pa.Table]:
    """Tables of at most BATCH rows, the oldest change first."""
    if isinstance(source, PostgresSource):
        yield from _postgres(since or EVER)
    else:
        yield from _sqlite((folder / source.script).read_text(encoding="utf-8"), since or EVER)


def _sqlite(script: str, since: datetime) -> Iterator[pa.Table]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        cursor = connection.execute(SQL.format("?"), [since.strftime("%Y-%m-%d %H:%M:%S")])
        while rows := cursor.fetchmany(BATCH):
            yield _table([(*row[:-1], datetime.fromisoformat(row[-1]).replace(tzinfo=UTC)) for row in rows])


def _postgres(since: datetime) -> Iterator[pa.Table]:
    with postgres_connection(os.environ["WORKFLOW_NAME_DSN"]) as connection:
        # With a name the cursor stays on the server: only BATCH rows are here at once.
        with connection.cursor(name="workflow_name") as cursor:
            cursor.execute(SQL.format("%s").encode(), [since])
            while rows := cursor.fetchmany(BATCH):
                yield _table(rows)


def _table(rows: Sequence[Sequence[Any]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table(
        {field.name: pa.array(column, field.type) for field, column in zip(SCHEMA, columns, strict=True)}, schema=SCHEMA
    )
