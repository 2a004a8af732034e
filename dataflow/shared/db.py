"""The warehouse for workflow code: open, use, close.

DuckDB lets one process write, so nobody keeps a connection: a writer opens, works and closes; a reader takes the
published snapshot where it is as good as the live file, and so never stands in a writer's way.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dataflow.errors import WarehouseError
from dataflow.shared.connecting import opened, warehouse_path
from dataflow.shared.identifiers import qualified, quote
from dataflow.shared.loading import LoadMode, LoadResult, load_arrow, load_parquet
from dataflow.shared.postgres import postgres_connection
from dataflow.shared.snapshot import current
from dataflow.shared.transactions import transaction

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = [
    "LoadMode",
    "LoadResult",
    "Reader",
    "load_arrow",
    "load_parquet",
    "postgres_connection",
    "qualified",
    "quote",
    "read_connection",
    "transaction",
    "warehouse_path",
    "write_connection",
]


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection that only reads. `stale` says that the live file has moved on since the snapshot, `as_of`."""

    connection: DuckDBPyConnection
    source: Literal["live", "snapshot"]
    as_of: datetime | None = None
    stale: bool = False


@contextmanager
def write_connection(path: Path | None = None, *, wait: float = 60.0) -> Generator[DuckDBPyConnection]:
    """The one connection that writes; waits up to `wait` seconds while another process has the warehouse.

    Raises:
        WarehouseError: WAREHOUSE_LOCKED (retryable, names the holder), WAREHOUSE_CORRUPT, WAREHOUSE_VERSION,
            DISK_FULL, NOT_WRITABLE; WAREHOUSE_SQL and others for what the block executes.
    """
    with opened(path or warehouse_path(), read_only=False, wait=wait) as connection:
        yield connection


@contextmanager
def read_connection(path: Path | None = None, *, wait: float = 0.3) -> Generator[Reader]:
    """A connection that reads, on the snapshot when it is fresh or when the live file is locked for `wait` seconds.

    Raises:
        WarehouseError: WAREHOUSE_LOCKED when there is no snapshot to fall back to, WAREHOUSE_MISSING and others as
            for `write_connection`.
    """
    warehouse = path or warehouse_path()
    with ExitStack() as stack:
        yield _reader(stack, warehouse, wait)


def _reader(stack: ExitStack, warehouse: Path, wait: float) -> Reader:
    snapshot = current(warehouse)
    if snapshot and snapshot.fresh:
        return _on_snapshot(stack, warehouse)
    try:
        return Reader(stack.enter_context(opened(warehouse, read_only=True, wait=wait)), "live")
    except WarehouseError as exc:
        if exc.code != "WAREHOUSE_LOCKED" or snapshot is None:
            raise
        return _on_snapshot(stack, warehouse)


def _on_snapshot(stack: ExitStack, warehouse: Path) -> Reader:
    """The snapshot that is current when it is opened: a publication may turn the pointer in between, and go on to
    write the replica it pointed at.
    """
    for left in (2, 1, 0):
        snapshot = current(warehouse)
        try:
            if snapshot is not None:
                connection = stack.enter_context(opened(snapshot.path, read_only=True, wait=0.1))
                return Reader(connection, "snapshot", snapshot.as_of, stale=not snapshot.fresh)
        except WarehouseError as exc:
            if exc.code != "WAREHOUSE_LOCKED" or not left:
                raise
    return Reader(stack.enter_context(opened(warehouse, read_only=True, wait=0)), "live")
