"""Room that logs may take: older files go after so many days, and the oldest ones when all together are too big.

The files that services write to now stay: supervisord rotates those. So does the log of a run that goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.paths import ProjectPaths
from dataflow.workflows import workers

KEEP_DAYS = "DATAFLOW_LOGS_KEEP_DAYS"
MAX_MB = "DATAFLOW_LOGS_MAX_MB"
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    bytes: int
    written: float


def prune(paths: ProjectPaths, *, keep_days: float, max_mb: float) -> tuple[Path, ...]:
    """Remove logs of ended runs and rotated logs of services that are too old or too much; which they were.

    One that cannot be removed stays: it must stop neither a run nor `up`.
    """
    every = sorted(_files(paths), key=lambda file: file.written)
    spare = {worker.run_id for worker in workers.all_workers(paths) if worker.alive}
    left = sum(file.bytes for file in every) - int(max_mb * 1_000_000)
    oldest = time.time() - keep_days * _DAY
    removed: list[Path] = []
    for file in every:
        if _closed(paths, file.path, spare) and (file.written < oldest or left > 0):
            with contextlib.suppress(OSError):
                file.path.unlink()
                removed.append(file.path)
                left -= file.bytes
    return tuple(removed)


def _files(paths: ProjectPaths) -> Iterator[_File]:
    for path in (*paths.logs.glob("*.*"), *paths.run_logs.glob("*.jsonl")):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # somebody else was faster
        if path.is_file():
            yield _File(path, stat.st_size, stat.st_mtime)


def _closed(paths: ProjectPaths, path: Path, spare: set[str]) -> bool:
    """Nobody writes to it any more: a rotated file, or the log of a run that has ended."""
    return path.suffix[1:].isdecimal() or (path.parent == paths.run_logs and path.stem not in spare)
