"""Who holds the lock on a warehouse file.

DuckDB's own message names a PID, but the PID of another container reads as 0 or as an unrelated process here,
so the kernel's lock table and the open files of the processes we may see are asked instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

LOCK_TABLE = Path("/proc/locks")
COMMAND_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has the file locked. `since` is when the process began, in local time."""

    pid: int
    command: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid} ({self.command}), running since {self.since:%Y-%m-%d %H:%M:%S}"


def find_holder(path: Path) -> Holder | None:
    """The process that holds the file, or None when it is outside what we may see (a container, another user)."""
    pids = [*_from_lock_table(path), *_from_open_files(path)]
    return next((holder for pid in pids if (holder := _describe(pid)) is not None), None)


def _from_lock_table(path: Path) -> Iterator[int]:
    """PIDs from /proc/locks (proc_locks(5)): `1: POSIX ADVISORY WRITE 9497 fe:00:9986803 0 EOF`."""
    try:
        status, lines = path.stat(), LOCK_TABLE.read_text().splitlines()
    except OSError:
        return
    wanted = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in lines:
        fields = line.split()
        if wanted in fields and (pid := int(fields[fields.index(wanted) - 1])) > 0:
            yield pid


def _from_open_files(path: Path) -> Iterator[int]:
    import psutil

    target, me = str(path.resolve()), os.getpid()
    for process in psutil.process_iter():
        try:
            if process.pid != me and any(opened.path == target for opened in process.open_files()):
                yield process.pid
        except (psutil.Error, OSError):
            continue


def _describe(pid: int) -> Holder | None:
    import psutil

    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline()) or process.name()
        began = datetime.fromtimestamp(process.create_time(), tz=UTC).astimezone()
    except psutil.Error:
        return None
    return Holder(pid, _shortened(command), began)


def _shortened(command: str) -> str:
    line = " ".join(command.split())
    return line if len(line) <= COMMAND_LENGTH else line[: COMMAND_LENGTH - 1] + "…"
