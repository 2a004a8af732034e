"""What two attached warehouses hold, for their comparison: tables and views with their columns and declared keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BEFORE, AFTER = "before", "after"
_RELATIONS = """
    SELECT schema_name, table_name, 'table', NULL FROM duckdb_tables() WHERE database_name = $1 AND NOT internal
    UNION ALL
    SELECT schema_name, view_name, 'view', sql FROM duckdb_views() WHERE database_name = $1 AND NOT internal"""
_COLUMNS = """
    SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = $1 AND NOT internal ORDER BY schema_name, table_name, column_index"""
_KEYS = """
    SELECT schema_name, table_name, constraint_column_names FROM duckdb_constraints()
    WHERE database_name = $1 AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
    ORDER BY constraint_type, constraint_index"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of one side: its columns with their types, in order, and its declared keys, the primary first."""

    catalog: str
    schema: str
    name: str
    kind: Literal["table", "view"]
    sql: str | None
    columns: dict[str, str]
    keys: tuple[tuple[str, ...], ...]

    @property
    def qualified(self) -> str:
        """Its name in SQL, from the database on."""
        return f"{quote(self.catalog)}.{quote(self.schema)}.{quote(self.name)}"

    @property
    def lowered(self) -> dict[str, str]:
        """Columns as DuckDB tells them apart: without regard to case."""
        return {name.lower(): kind for name, kind in self.columns.items()}

    def spelt(self, lowered: str) -> str:
        """A column as the table spells it."""
        return next(name for name in self.columns if name.lower() == lowered)

    def count(self, connection: DuckDBPyConnection) -> int:
        """How many rows it has."""
        return int(connection.execute(f"SELECT count(*) FROM {self.qualified}").fetchall()[0][0])


def relations(connection: DuckDBPyConnection, side: str) -> dict[str, Relation]:
    """The tables and views of one side, by `schema.name`. Where both sides are one file, it is attached once."""
    attached = {row[0] for row in connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()}
    catalog = side if side in attached else BEFORE
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for schema, name, column, kind in connection.execute(_COLUMNS, [catalog]).fetchall():
        columns.setdefault((schema, name), {})[column] = kind
    keys: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for schema, name, key in connection.execute(_KEYS, [catalog]).fetchall():
        keys.setdefault((schema, name), []).append(tuple(key))
    return {
        f"{schema}.{name}": Relation(
            catalog, schema, name, kind, sql, columns.get((schema, name), {}), tuple(keys.get((schema, name), ()))
        )
        for schema, name, kind, sql in connection.execute(_RELATIONS, [catalog]).fetchall()
    }


def columns_of(pair: tuple[Relation | None, Relation | None]) -> list[str]:
    """The columns that both have, spelt as in the second; none where only one has the table."""
    before, after = pair
    if before is None or after is None:
        return []
    return [column for column in after.columns if column.lower() in before.lowered]
