"""The warehouse of the demo: a DuckDB in memory, so that every query works as on a real one."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import UsageError
from dataflow.operations.browse import KnownTable, KnownTables
from dataflow.operations.data import FileWritten, QueryResult, Table
from dataflow.shared.cancelling import Cancel
from dataflow.shared.warehouse_errors import warehouse_errors

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MADE = """
CREATE SCHEMA raw; CREATE SCHEMA staging; CREATE SCHEMA marts;
CREATE TABLE raw.orders AS SELECT i AS id, 1 + i * 7919 % 180 AS customer,
  TIMESTAMP '2026-09-01' + INTERVAL (i * 37) MINUTE AS ordered_at, round(4 + (i * 7919 % 9600) / 100, 2) AS amount,
  ['paid', 'paid', 'paid', 'sent', 'returned'][1 + i * 31 % 5] AS state FROM range(4200) t(i);
CREATE TABLE raw.customers AS SELECT 1 + i AS id, 'Customer ' || (1 + i) AS name,
  ['Aachen', 'Bern', 'Graz', 'Lyon'][1 + i % 4] AS town FROM range(180) t(i);
CREATE TABLE raw.entries AS SELECT i AS id, TIMESTAMP '2026-08-28' + INTERVAL (i * 5) MINUTE AS read_at,
  round(95 + 45 * sin(i / 40.0) + i * 7919 % 23, 0)::INTEGER AS mgdl FROM range(25920) t(i);
CREATE VIEW staging.orders AS SELECT * FROM raw.orders WHERE state <> 'returned';
CREATE TABLE marts.revenue AS SELECT ordered_at::DATE AS day, count(*) AS orders, round(sum(amount), 2) AS revenue
  FROM raw.orders GROUP BY 1 ORDER BY 1;
CREATE TABLE marts.customers AS SELECT c.id, c.name, c.town, count(o.id) AS orders, round(sum(o.amount), 2) AS spent
  FROM raw.customers c LEFT JOIN raw.orders o ON o.customer = c.id GROUP BY ALL ORDER BY spent DESC;
CREATE TABLE marts.nightscout_daily AS SELECT read_at::DATE AS day, count(*) AS readings,
  round(avg(mgdl), 1) AS mean_mgdl, round(100.0 * count(*) FILTER (mgdl BETWEEN 70 AND 180) / count(*), 1) AS tir_pct
  FROM raw.entries GROUP BY 1 ORDER BY 1;
"""


class House:
    """Answers as the operations on data do."""

    @cached_property
    def _connection(self) -> DuckDBPyConnection:
        import duckdb

        made = duckdb.connect(":memory:")
        made.execute(_MADE)
        return made

    def tables(self, computed: dict[str, datetime]) -> KnownTables:
        """All tables with the time they were computed."""
        sql = (
            "SELECT schema_name, table_name, 'table', column_count, estimated_size FROM duckdb_tables() UNION ALL "
            "SELECT schema_name, view_name, 'view', column_count, NULL FROM duckdb_views() "
            "WHERE NOT internal ORDER BY 1, 2"
        )
        rows = self._connection.cursor().execute(sql).fetchall()
        found = tuple(KnownTable(Table(*row), computed.get(f"{row[0]}/{row[1]}")) for row in rows)
        return KnownTables(found, "live", None, stale=False)

    def query(self, sql: str, cancel: Cancel, limit: int = 500) -> QueryResult:
        """The answer to a SELECT."""
        began = time.monotonic()
        cursor = self._connection.cursor()
        with warehouse_errors(Path("warehouse.duckdb")), cancel.watching(cursor):
            if cursor.extract_statements(sql)[0].type.name not in {"SELECT", "EXPLAIN"}:
                raise UsageError("Here queries only read.", code="SQL_MANY")
            answer = cursor.execute(sql)
            described, rows = answer.description or [], answer.fetchmany(limit + 1)
        names, types = (tuple(str(column[place]) for column in described) for place in (0, 1))
        seconds = round(time.monotonic() - began, 4)
        return QueryResult(
            names, types, tuple(rows[:limit]), len(rows) > limit, "live", None, stale=False, seconds=seconds
        )

    def export(self, what: str, path: Path) -> FileWritten:
        """Pretend to write a file: the demo leaves nothing behind."""
        sql = what if " " in what.strip() else f"SELECT * FROM {what}"
        rows = 0
        with suppress(IndexError):
            rows = self.query(f"SELECT count(*) FROM ({sql})", Cancel()).rows[0][0]
        return FileWritten(path, rows, rows * 40, "live", None, stale=False)
