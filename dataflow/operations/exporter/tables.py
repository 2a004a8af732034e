"""Rows and bytes of the tables of a DuckDB file that nobody writes: run as a program, which prints JSON and ends.

A process of its own, because duckdb would stay in the exporter's memory for a look that is rare.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

Row = tuple[str, str, int, int]
_TABLES = """
    SELECT schema_name, table_name, estimated_size FROM duckdb_tables()
    WHERE NOT internal AND NOT temporary AND database_name = current_database() ORDER BY ALL"""
_BLOCKS = """
    SELECT count(DISTINCT block) FROM (
        SELECT unnest(list_append(additional_block_ids, block_id)) AS block FROM pragma_storage_info(?))
    WHERE block >= 0"""


def table_sizes(database: Path) -> list[Row]:
    """Schema, table, rows and bytes of its blocks. Tables that share a block each count it."""
    from dataflow.shared.connecting import opened
    from dataflow.shared.identifiers import quote

    with opened(database, read_only=True, wait=1.0) as connection:
        block = int(connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()[0][0])
        found: list[Row] = []
        for schema, table, rows in connection.execute(_TABLES).fetchall():
            name = f"{quote(str(schema))}.{quote(str(table))}"
            blocks = connection.execute(_BLOCKS, [name]).fetchall()[0][0] if '""' not in name else 0
            found.append((str(schema), str(table), int(rows), int(blocks) * block))
        return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(table_sizes(Path(sys.argv[1]))))
