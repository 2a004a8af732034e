"""Data: tables, buckets, backups. The live warehouse is never opened: its file's size, and the snapshot's contents."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import OperationFailedError
from dataflow.operations.exporter.metrics import Reading
from dataflow.shared import snapshot
from dataflow.system.process import run

if TYPE_CHECKING:
    from dataflow.shared.minio import ObjectStore


class WarehouseSource:
    """Readings of the warehouse. Tables are counted by another process, once per published snapshot."""

    name = "warehouse"
    every = 5.0

    def __init__(self, warehouse: Path) -> None:
        self._warehouse = warehouse
        self._counted: object = None
        self._tables: list[Reading] = []

    def read(self) -> Iterator[Reading]:
        """Sizes of files, then of tables."""
        found = snapshot.current(self._warehouse)
        if found and found.as_of != self._counted:
            self._tables = list(_tables(found.path))
            self._counted = found.as_of
        if self._warehouse.exists():
            yield Reading("dataflow_warehouse_bytes", ("live",), _size(self._warehouse))
        if found:
            yield Reading("dataflow_warehouse_bytes", ("snapshot",), _size(found.path))
            yield Reading("dataflow_warehouse_snapshot_timestamp_seconds", (), found.as_of.timestamp())
            yield from self._tables


def _tables(database: Path) -> Iterator[Reading]:
    command = [sys.executable, "-m", "dataflow.operations.exporter.tables", str(database)]
    done = run(command, env=os.environ, timeout=60)
    if done.code:
        raise OperationFailedError(
            f"The snapshot cannot be read: {done.stderr.strip()[-200:]}", code="SNAPSHOT_UNREADABLE"
        )
    for schema, table, rows, size in json.loads(done.stdout):
        yield Reading("dataflow_table_rows", (schema, table), rows)
        yield Reading("dataflow_table_bytes", (schema, table), size)


def _size(path: Path) -> int:
    """Bytes of a database with its log."""
    log = path.with_name(path.name + ".wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


class BucketSource:
    """Readings of the object store, once a minute: a bucket's size is the sum over its objects.

    Nothing where the platform has no object store (`wanted`).
    """

    name = "buckets"
    every = 60.0

    def __init__(self, store: Callable[[], ObjectStore], wanted: Callable[[], bool]) -> None:
        self._store = store
        self._wanted = wanted

    def read(self) -> Iterator[Reading]:
        """Objects and bytes of every bucket."""
        if not self._wanted():
            return
        store = self._store()
        for bucket in store.buckets():
            count = size = 0
            for item in store.list(bucket):
                count += 1
                size += item.size or 0
            yield Reading("dataflow_bucket_objects", (bucket,), count)
            yield Reading("dataflow_bucket_bytes", (bucket,), size)


class BackupSource:
    """Readings of the backups that are there."""

    name = "backups"
    every = 10.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> Iterator[Reading]:
        """How many, how large, and when the newest was made, which is in a backup's name."""
        found = [folder for folder in self._folder.glob("[0-9]*Z-*") if folder.is_dir()]
        yield Reading("dataflow_backups", (), len(found))
        yield Reading("dataflow_backup_bytes", (), sum(_bytes(folder) for folder in found))
        if found:
            newest = max(folder.name for folder in found).partition("-")[0]
            made = datetime.strptime(newest, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            yield Reading("dataflow_backup_last_timestamp_seconds", (), made.timestamp())


def _bytes(folder: Path) -> int:
    """Bytes of a backup's parts. A container of another user may not look inside: then nothing."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except PermissionError:
        return 0
