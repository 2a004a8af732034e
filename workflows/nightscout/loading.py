"""From the lake to the warehouse: each landed object once, each document once, what cannot be believed apart.

The warehouse remembers which objects it has loaded, so a run loads what is new, a run after a failure what is missing,
and an empty warehouse everything: the lake is the truth, the tables can always be made again.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .collection import Collection
from .ingestion import BUCKET
from .transform import DOCUMENTS, MACROS, RULES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dataflow.shared.minio import ObjectStore

SCHEMA = "raw_nightscout"
LEDGER = f"{SCHEMA}.loaded_objects"
QUARANTINE = f"{SCHEMA}.quarantine"
AT_ONCE = 200  # objects in one transaction: bounds the disk and the memory that a first load takes

TABLES = f"""
create schema if not exists {SCHEMA};
create table if not exists {LEDGER} (object varchar primary key, collection varchar, documents bigint);
create table if not exists {QUARANTINE} (
    id varchar primary key, collection varchar, reason varchar, source varchar, line bigint, object varchar,
    document varchar);
"""

LANDED = """
create or replace temp table landed (number integer, position bigint, source varchar, line bigint, document varchar)
"""

READ = """
insert into landed
select regexp_extract(filename, '(\\d+)\\.parquet$', 1)::integer, file_row_number, source, line, document
from read_parquet(?, filename = true, file_row_number = true)
"""

# Of a document that came more than once the last one counts: load_arrow keeps the last row of a key.
BELIEVED = """
select * exclude (source, line, number, position, document, reason) from typed where reason is null
order by number, position
"""

# The same broken document seen again is the same fault: it keeps the place where it was seen first.
QUARANTINED = f"""
insert into {QUARANTINE}
select md5($collection || '|' || document), $collection, reason, source, line, $objects[number + 1], document
from typed where reason is not null
qualify row_number() over (partition by document order by number, position) = 1
on conflict do nothing
"""

WRITE_LEDGER = f"""
insert into {LEDGER}
select objects.object, $collection, count(landed.number)
from (select unnest($objects) as object, generate_subscripts($objects, 1) - 1 as number) as objects
left join landed using (number) group by all
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did, and how the table stands after it: its rows and the time of the newest."""

    objects: int = 0
    documents: int = 0
    inserted: int = 0
    updated: int = 0
    quarantined: int = 0
    rows: int = 0
    newest: datetime | None = None


def load_collection(store: ObjectStore, collection: Collection, *, reload: bool = False) -> Loaded:
    """Load every object of a collection that the warehouse does not have yet.

    Args:
        store: The lake.
        collection: Entries or treatments.
        reload: Empty the collection's tables first, so that all objects are new again.

    Raises:
        WarehouseError: the warehouse is locked or broken.
        StorageError: the object store refused.
    """
    from dataflow.shared.db import write_connection

    store.ensure_bucket(BUCKET)
    total = Loaded()
    with write_connection() as connection:
        connection.execute("set timezone = 'UTC';" + TABLES)
        if reload:
            _forget(connection, collection)
        for keys in _portions(_missing(store, connection, collection)):
            total = _load(store, connection, collection, keys, total)
        rows, newest = connection.execute(
            f"select count(*), max({collection.time_column}) from {SCHEMA}.{collection.name}"
        ).fetchall()[0]
    return replace(total, rows=rows, newest=newest)


def _missing(store: ObjectStore, connection: DuckDBPyConnection, collection: Collection) -> list[str]:
    """Return the objects to load, oldest first, so that the newest version of a document stays."""
    loaded = connection.execute(f"select object from {LEDGER} where collection = ?", [collection.name]).fetchall()
    known = {key for (key,) in loaded}
    landed = sorted(store.list(BUCKET, collection.prefix), key=lambda item: (item.modified, item.key))
    return [item.key for item in landed if item.key not in known]


def _portions(keys: list[str]) -> Iterator[list[str]]:
    """Yield the keys in portions; one empty portion where there are none, which makes the empty table."""
    for start in range(0, max(len(keys), 1), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def _load(
    store: ObjectStore, connection: DuckDBPyConnection, collection: Collection, keys: list[str], before: Loaded
) -> Loaded:
    """Load some objects: rows, quarantine and ledger together or not at all."""
    from dataflow.shared.db import load_arrow, transaction

    with transaction(connection):
        documents = _read_objects(store, connection, keys)
        _apply_rules(connection, collection)
        believed = connection.sql(BELIEVED).to_arrow_table()
        result = load_arrow(connection, believed, into=f"{SCHEMA}.{collection.name}", mode="upsert", key=["id"])
        values = {"collection": collection.name, "objects": keys}
        broken = connection.execute(QUARANTINED, values).fetchall()[0][0]
        connection.execute(WRITE_LEDGER, values)
    return Loaded(
        before.objects + len(keys),
        before.documents + documents,
        before.inserted + result.rows_inserted,
        before.updated + result.rows_updated,
        before.quarantined + broken,
    )


def _read_objects(store: ObjectStore, connection: DuckDBPyConnection, keys: list[str]) -> int:
    """Put the objects' documents into the temporary table `landed`; return how many there are."""
    connection.execute(LANDED)
    with tempfile.TemporaryDirectory(prefix="nightscout-") as folder:
        files = [Path(folder) / f"{number}.parquet" for number in range(len(keys))]
        for key, file in zip(keys, files, strict=True):
            store.download(BUCKET, key, file)
        if files:
            connection.execute(READ, [[str(file) for file in files]])
    return connection.execute("select count(*) from landed").fetchall()[0][0]


def _apply_rules(connection: DuckDBPyConnection, collection: Collection) -> None:
    """Make the temporary table `typed`: every document with its types, and a reason where it cannot be believed."""
    rules = RULES[collection.name]
    fields = json.dumps(dict.fromkeys(rules.fields, "VARCHAR"))
    connection.execute(MACROS + DOCUMENTS.format(fields=fields) + ";" + rules.sql)


def _forget(connection: DuckDBPyConnection, collection: Collection) -> None:
    """Empty the collection's tables. A failure after it only means that the next run loads all again."""
    from dataflow.shared.db import transaction

    with transaction(connection):
        connection.execute(f"drop table if exists {SCHEMA}.{collection.name}")
        for table in (LEDGER, QUARANTINE):
            connection.execute(f"delete from {table} where collection = ?", [collection.name])
