"""What a DuckDB file holds, told without reading its rows: the key to a publication that costs what changed.

DuckDB stores a table as row groups of about 120,000 rows, and a checkpoint rewrites only those that changed. A row
group is known by where its segments lie, by their statistics, and by the checksums that DuckDB keeps at the start of
each block. The places alone would not do: a block that was freed is soon used again, so a table written twice between
two publications may lie where it lay before, with other rows. Deleted rows are not in the blocks; hence live counts.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, BinaryIO

from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADERS = 3 * 4096  # DuckDB's file begins with three headers; blocks follow, each with its checksum first
CHECKSUM = 8

NAME = r"""(?:"(?:[^"]|"")*"|[^\s."(]+)"""
CREATED = re.compile(rf"(CREATE (?:TABLE|VIEW) |CREATE (?:UNIQUE )?INDEX {NAME} ON )(?:{NAME}\.)?{NAME}")

SEGMENTS = """
    SELECT row_group_id,
           sum(count) FILTER (column_id = 0 AND column_path = '[0, 0]') AS rows,
           bool_and(persistent) AND NOT bool_or(has_updates) AS settled,
           string_agg(concat_ws('|', column_path, segment_id, segment_type, count, block_id, block_offset, stats,
                                additional_block_ids), chr(10) ORDER BY column_id, column_path, segment_id) AS layout,
           list_sort(list_distinct(flatten(list(list_append(additional_block_ids, block_id))))) AS blocks
    FROM pragma_storage_info(?) GROUP BY row_group_id ORDER BY row_group_id
"""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """One row group: `stored` rows lie in it, `live` of them are not deleted; `digest` tells its bytes."""

    stored: int
    live: int
    digest: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table: everything that defines it (its SQL, indexes, comments), and its row groups in order."""

    definition: tuple[str, ...]
    groups: tuple[RowGroup, ...]

    @property
    def rows(self) -> int:
        """Rows that are not deleted."""
        return sum(group.live for group in self.groups)


@dataclass(frozen=True, slots=True)
class Contents:
    """Tables by their quoted names, and the SQL that makes all else. `base` is types, sequences and macros."""

    tables: dict[str, Table]
    schemas: tuple[str, ...]
    base: tuple[str, ...]
    views: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For the file beside a replica."""
        return asdict(self)


def from_json(data: dict[str, Any]) -> Contents | None:
    """The opposite of `as_json`; None for what it did not write."""
    try:
        tables = {
            name: Table(tuple(table["definition"]), tuple(RowGroup(**group) for group in table["groups"]))
            for name, table in data["tables"].items()
        }
        return Contents(tables, tuple(data["schemas"]), tuple(data["base"]), tuple(data["views"]))
    except (KeyError, TypeError, AttributeError):
        return None


def contents_of(connection: DuckDBPyConnection, catalog: str, file: BinaryIO) -> Contents:
    """The contents of an attached database that has been checkpointed; `file` is its file.

    The caller opens the file before attaching it and closes it after detaching: closing any descriptor of a file
    drops all locks that its process holds on it (POSIX), also the one DuckDB relies on.
    """
    block_size = int(_one(connection, "SELECT block_size FROM pragma_database_size() WHERE database_name = ?", catalog))
    tables = {
        name: Table(definition, _groups(connection, catalog, name, partial(_checksum, file, block_size)))
        for name, definition in _definitions(connection, catalog).items()
    }
    schemas = tuple(quote(row[0]) for row in _rows(connection, "SELECT schema_name FROM duckdb_schemas()", catalog))
    return Contents(tables, schemas, tuple(_base(connection, catalog)), tuple(_views(connection, catalog)))


def _groups(
    connection: DuckDBPyConnection, catalog: str, table: str, checksum: Callable[[int], bytes]
) -> tuple[RowGroup, ...]:
    name = f"{quote(catalog)}.{table}"
    # pragma_storage_info cannot read a name with a quote in it, and a column called rowid hides the numbers of rows.
    if '""' in name or _has_rowid(connection, name):
        row = quote(f"row_{uuid.uuid4().hex}")  # not what a column is called
        count, total = connection.execute(f"SELECT count(*), sum(hash({row})) FROM {name} AS {row}").fetchall()[0]
        return (RowGroup(int(count), int(count), str(total)),)
    rows = connection.execute(SEGMENTS, [name]).fetchall()
    stored = [int(row[1] or 0) for row in rows]
    live = _live(connection, name, stored)
    return tuple(
        RowGroup(count, alive, _digest(settled, layout + which, blocks, checksum))
        for count, (alive, which), (_, _, settled, layout, blocks) in zip(stored, live, rows, strict=True)
    )


def _has_rowid(connection: DuckDBPyConnection, name: str) -> bool:
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    return any(row[0].lower() == "rowid" for row in described)


def _digest(settled: bool, layout: str, blocks: list[int], checksum: Callable[[int], bytes]) -> str:
    """Segments that are not in the file yet cannot be told apart, so they are never equal to anything."""
    if not settled:
        return os.urandom(16).hex()
    digest = hashlib.blake2b(layout.encode(), digest_size=16)
    for block in blocks:
        if block >= 0:  # constant segments have no block, their value is in the statistics
            digest.update(checksum(block))
    return digest.hexdigest()


def _checksum(file: BinaryIO, block_size: int, block: int) -> bytes:
    return os.pread(file.fileno(), CHECKSUM, HEADERS + block * block_size)


def _live(connection: DuckDBPyConnection, name: str, stored: list[int]) -> list[tuple[int, str]]:
    """How many rows of each group are not deleted, and which; looked at only in a table that has deleted rows."""
    if int(_one(connection, f"SELECT count(*) FROM {name}")) == sum(stored):
        return [(size, "") for size in stored]
    found: list[tuple[int, str]] = []
    query = f"SELECT count(*), bit_xor(hash(rowid)) FROM {name} WHERE rowid >= ? AND rowid < ?"
    for size, end in zip(stored, accumulate(stored), strict=True):
        count, which = connection.execute(query, [end - size, end]).fetchall()[0]
        found.append((int(count), "" if count == size else str(which)))
    return found


def _definitions(connection: DuckDBPyConnection, catalog: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for schema, table, sql, comment in _rows(
        connection, "SELECT schema_name, table_name, sql, comment FROM duckdb_tables()", catalog
    ):
        name = f"{quote(schema)}.{quote(table)}"
        found[name] = [_in_full(sql, catalog, name), *_comment(f"TABLE {quote(catalog)}.{name}", comment)]
    query = "SELECT schema_name, table_name, sql FROM duckdb_indexes() WHERE database_name = ? ORDER BY ALL"
    for schema, table, sql in connection.execute(query, [catalog]).fetchall():
        name = f"{quote(schema)}.{quote(table)}"
        found[name].append(_in_full(sql, catalog, name))
    for schema, table, column, comment in _rows(
        connection, "SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()", catalog
    ):
        name = f"{quote(schema)}.{quote(table)}"
        if name in found:
            found[name] += _comment(f"COLUMN {quote(catalog)}.{name}.{quote(column)}", comment)
    return {name: tuple(statements) for name, statements in sorted(found.items())}


def _base(connection: DuckDBPyConnection, catalog: str) -> list[str]:
    types = _rows(connection, "SELECT schema_name, type_name, labels, logical_type FROM duckdb_types()", catalog)
    macros = _rows(
        connection,
        "SELECT schema_name, function_name, function_type, parameters, macro_definition FROM duckdb_functions()",
        catalog,
    )
    statements = [
        f"CREATE TYPE {quote(schema)}.{quote(name)} AS ENUM ({', '.join(map(literal, labels))})"
        for schema, name, labels, kind in types
        if kind == "ENUM" and labels
    ]
    # duckdb_sequences() knows no internal ones.
    query = "SELECT sql FROM duckdb_sequences() WHERE database_name = ? ORDER BY ALL"
    statements += [row[0] for row in connection.execute(query, [catalog]).fetchall()]
    statements += [
        f"CREATE MACRO {quote(schema)}.{quote(name)}({', '.join(map(quote, parameters))}) AS "
        f"{'TABLE ' if kind == 'table_macro' else ''}{body}"
        for schema, name, kind, parameters, body in macros
    ]
    return statements


def _views(connection: DuckDBPyConnection, catalog: str) -> list[str]:
    """Statements that work in some order: a view may stand on another."""
    views = _rows(connection, "SELECT schema_name, view_name, sql, comment FROM duckdb_views()", catalog)
    found: list[str] = []
    comments: list[str] = []
    for schema, view, sql, comment in views:
        name = f"{quote(schema)}.{quote(view)}"
        found.append(_in_full(sql, catalog, name))
        comments += _comment(f"VIEW {quote(catalog)}.{name}", comment)
    return found + comments


def _in_full(sql: str, catalog: str, name: str) -> str:
    """The statement with what it makes, or makes an index on, named from the database on.

    DuckDB's own text says `memory.t`, and that is another table wherever a database is called as the schema.
    """
    return CREATED.sub(lambda found: f"{found[1]}{quote(catalog)}.{name}", sql, count=1)


def _comment(on: str, comment: str | None) -> list[str]:
    return [] if comment is None else [f"COMMENT ON {on} IS {literal(comment)}"]


def literal(text: str) -> str:
    """A string as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _rows(connection: DuckDBPyConnection, select: str, catalog: str) -> list[Any]:
    return connection.execute(f"{select} WHERE database_name = ? AND NOT internal ORDER BY ALL", [catalog]).fetchall()


def _one(connection: DuckDBPyConnection, query: str, *values: object) -> Any:
    row = connection.execute(query, list(values)).fetchone()
    return row[0] if row else None
