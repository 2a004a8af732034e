"""Where a snapshot lies on disk: replicas of the warehouse, and a small pointer that names the current one.

<folder of the warehouse>/snapshots/<name of its file>/
    current.json        which replica readers take, when it was published, of which state of the live file
    publish.lock        held while somebody publishes
    a/<the same file name>   b/…      replicas; the same name gives the same catalog name, which views are bound to
    a/contents.json     what the replica holds; absent while the replica is being changed
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from dataflow.errors import WarehouseError

NAMES = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Pointer:
    """What current.json says. `live` is the signature of the live file and its log at publication."""

    replica: str
    as_of: datetime
    live: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SnapshotFolder:
    """The snapshot files of one warehouse."""

    warehouse: Path

    @property
    def root(self) -> Path:
        """The folder that holds them all."""
        return self.warehouse.parent / "snapshots" / self.warehouse.stem

    def replica(self, name: str) -> Path:
        """The database file of one replica."""
        return self.root / name / self.warehouse.name

    def contents(self, name: str) -> Path:
        """The file that tells what a replica holds; absent while it is being changed."""
        return self.root / name / "contents.json"

    def prepare(self, name: str, *, anew: bool = False) -> bool:
        """Make room for a replica; one whose contents nobody knows is removed.

        Returns whether there is one to go on from.

        A reader that still has a removed file open keeps it until it is done.
        """
        replica = self.replica(name)
        replica.parent.mkdir(parents=True, exist_ok=True)
        known = not anew and self.contents(name).exists()
        if not known:
            self.contents(name).unlink(missing_ok=True)
            for file in (replica, replica.with_name(replica.name + ".wal")):
                file.unlink(missing_ok=True)
        return known

    @contextmanager
    def warehouse_file(self) -> Generator[BinaryIO]:
        """The live file as plain bytes.

        Raises:
            WarehouseError: WAREHOUSE_MISSING, NOT_WRITABLE.
        """
        if not self.warehouse.exists():
            hint = "The first workflow run creates it"
            raise WarehouseError(f"{self.warehouse} does not exist yet", code="WAREHOUSE_MISSING", hint=hint)
        with writing(self.warehouse.parent), self.warehouse.open("rb") as file:
            yield file

    def pointer(self) -> Pointer | None:
        """The pointer, None before the first publication. A pointer nobody can read counts as none: it is rebuilt."""
        data = read_json(self.root / "current.json")
        try:
            pointer = Pointer(data["replica"], datetime.fromisoformat(data["as_of"]), tuple(data["live"]))
        except (KeyError, TypeError, ValueError):
            return None
        return pointer if pointer.replica in NAMES and self.replica(pointer.replica).exists() else None

    def point(self, pointer: Pointer) -> None:
        """Replace the pointer in one step."""
        data = {"replica": pointer.replica, "as_of": pointer.as_of.isoformat(), "live": list(pointer.live)}
        write_json(self.root / "current.json", data)

    def signature(self) -> tuple[int, ...]:
        """Time and size of the live file and of its log: any write changes one of them."""
        return (*_stamp(self.warehouse), *_stamp(self.warehouse.with_name(self.warehouse.name + ".wal")))

    @contextmanager
    def publishing(self, wait: float) -> Generator[None]:
        """One publisher at a time; the lock goes with its process, also when that is killed.

        Raises:
            WarehouseError: SNAPSHOT_BUSY (retryable) after `wait` seconds; NOT_WRITABLE, DISK_FULL.
        """
        import fcntl

        with writing(self.root), (self.root / "publish.lock").open("w") as lock:
            deadline = time.monotonic() + wait
            while not _locked(lock.fileno()):
                if time.monotonic() > deadline:
                    message = f"Another process is publishing {self.warehouse}"
                    raise WarehouseError(message, code="SNAPSHOT_BUSY", hint="Its snapshot will do", retryable=True)
                time.sleep(0.05)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Make the folder, and say clearly when it or the disk does not take our files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except (PermissionError, NotADirectoryError) as exc:
        hint = "The user that runs this needs the right to write there"
        raise WarehouseError(f"{folder} cannot be written: {exc.strerror}", code="NOT_WRITABLE", hint=hint) from exc
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        code = "NOT_WRITABLE" if exc.errno == errno.EROFS else "DISK_FULL"
        hint = "What was there before stays; make room and run again"
        raise WarehouseError(f"{folder} cannot be written: {exc.strerror}", code=code, hint=hint) from exc


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, empty when the file is missing or is none."""
    try:
        data = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Replace the file in one step, so that a reader sees the old text or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _locked(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
