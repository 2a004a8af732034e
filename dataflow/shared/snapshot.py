"""The published snapshot: what readers see while somebody writes.

Two replicas of the warehouse take turns. A publication brings the one that nobody is pointed at up to date, and then
turns the pointer; until that moment readers have the old snapshot whole, whatever happens. See docs/adr/0003.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import WarehouseError
from dataflow.shared.connecting import STORAGE_VERSION, opened, warehouse_path
from dataflow.shared.identifiers import quote
from dataflow.shared.snapshot_contents import Contents, contents_of, from_json, literal
from dataflow.shared.snapshot_files import NAMES, Pointer, SnapshotFolder, read_json, write_json
from dataflow.shared.snapshot_replica import Replication, changed_tables, update
from dataflow.shared.warehouse_errors import is_locked

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did: the tables that changed, rows copied, seconds, and where the snapshot is now."""

    changed: bool
    tables: tuple[str, ...]
    rows: int
    seconds: float
    path: Path


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The current snapshot. `fresh`: nobody has written to the live file since `as_of`."""

    path: Path
    as_of: datetime
    fresh: bool


def current(path: Path | None = None) -> Snapshot | None:
    """The snapshot that readers take, None before the first publication. Opens no database."""
    folder = SnapshotFolder(path or warehouse_path())
    pointer = folder.pointer()
    if pointer is None:
        return None
    return Snapshot(folder.replica(pointer.replica), pointer.as_of, pointer.live == folder.signature())


def publish(path: Path | None = None, *, wait: float = 5.0) -> Published:
    """Publish the warehouse as it is now. The cost grows with what changed since the last time.

    `wait` is how many seconds to wait for each of: another publisher, a writer, a slow reader of the old replica.

    Raises:
        WarehouseError: WAREHOUSE_LOCKED, SNAPSHOT_BUSY (both retryable), WAREHOUSE_MISSING, WAREHOUSE_CORRUPT,
            DISK_FULL, NOT_WRITABLE. The snapshot before stays as it was.
    """
    began = time.monotonic()
    warehouse = path or warehouse_path()
    folder = SnapshotFolder(warehouse)
    _settle(warehouse, wait)
    # The plain descriptor is opened before DuckDB's and closed after it, see `contents_of`.
    with folder.warehouse_file() as file, folder.publishing(wait), opened(warehouse, read_only=True, wait=wait) as live:
        signature = folder.signature()
        catalog = str(live.execute("SELECT current_database()").fetchall()[0][0])
        contents = contents_of(live, catalog, file)
        name, before, rows = _bring_up(folder, catalog, contents, wait)
        folder.point(Pointer(name, datetime.now(UTC), signature))
    seconds = time.monotonic() - began
    return Published(before != contents, changed_tables(before, contents), rows, seconds, folder.replica(name))


def _settle(warehouse: Path, wait: float) -> None:
    """Move what a killed writer left in the log into the file, where row groups can be compared."""
    log = warehouse.with_name(warehouse.name + ".wal")
    if log.exists() and log.stat().st_size:
        with opened(warehouse, read_only=False, wait=wait) as connection:
            connection.execute("CHECKPOINT")


def _bring_up(
    folder: SnapshotFolder, catalog: str, contents: Contents, wait: float
) -> tuple[str, Contents | None, int]:
    """The name of a replica that holds the contents, what the current one held, and the rows copied."""
    import duckdb

    pointer = folder.pointer()
    now = from_json(read_json(folder.contents(pointer.replica))) if pointer else None
    if pointer and now == contents:
        return pointer.replica, now, 0
    with duckdb.connect(config={"temp_directory": str(folder.root / "spill")}) as work:
        live = f"live_{uuid.uuid4().hex}"
        work.execute(f"ATTACH {literal(str(folder.warehouse))} AS {quote(live)} (READ_ONLY); USE {quote(live)}")
        work.execute("DETACH memory")  # a warehouse may be called memory.duckdb
        name, old = _attach(work, folder, catalog, contents, wait)
        work.execute(f"USE {quote(catalog)}.main")  # the name alone may be taken for a schema
        folder.contents(name).unlink(missing_ok=True)
        rows = update(Replication(work, catalog, live), old, contents)
        work.execute(f"USE {quote(live)}")
        work.execute(f"DETACH {quote(catalog)}")
        write_json(folder.contents(name), contents.as_json())
    return name, now, rows


def _attach(
    work: DuckDBPyConnection, folder: SnapshotFolder, catalog: str, contents: Contents, wait: float
) -> tuple[str, Contents | None]:
    """Attach the replica that is next in turn, or after `wait` seconds one that no slow reader has open.

    Returns its name and what it holds. Types, sequences and macros change rarely, and then it is made anew.
    """
    import duckdb

    deadline, pointer = time.monotonic() + wait, folder.pointer()
    for name in (name for name in NAMES if pointer is None or name != pointer.replica):
        old = from_json(read_json(folder.contents(name)))
        usable = folder.prepare(name, anew=old is None or old.base != contents.base)
        attach = (
            f"ATTACH {literal(str(folder.replica(name)))} AS {quote(catalog)} (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        while True:
            try:
                work.execute(attach)
            except duckdb.Error as exc:
                if not is_locked(exc):
                    if not usable:
                        raise
                    usable = folder.prepare(name, anew=True)
                elif time.monotonic() > deadline:
                    break
                else:
                    time.sleep(0.05)
            else:
                return name, old if usable else None
    raise WarehouseError(
        f"All replicas of {folder.warehouse} are being read",
        code="SNAPSHOT_BUSY",
        hint="Long queries hold old snapshots open; the snapshot before stays, publish again when they have ended",
        retryable=True,
    )
