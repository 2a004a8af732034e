"""The project's folder as containers find it: folders that they mount, and whose they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dataflow.config.environment import warehouse_path
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import Loaded
from dataflow.system.files import mapped_os_errors

# What only this machine's own processes use.
_OURS = {"objects", "backups"}


def prepare(paths: ProjectPaths, loaded: Loaded, user: tuple[int, int]) -> None:
    """Make the folders that are mounted: Docker would make missing ones as root.

    Where root calls us, containers run as somebody else, who then must own what they write to.

    Raises:
        OperationFailedError: NOT_WRITABLE, DISK_FULL.
    """
    warehouse = warehouse_path(paths, loaded)
    with mapped_os_errors(paths.state):
        mounted = (paths.workers, paths.run_logs, paths.dagster_home / "storage", warehouse.parent)
        for folder in (paths.workflows, paths.run, paths.backups, *mounted):
            folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0 and user[0]:
            for path in _shared(paths.state, warehouse):
                if path.lstat().st_uid != user[0]:
                    os.chown(path, *user, follow_symlinks=False)


def _shared(state: Path, warehouse: Path) -> Iterator[Path]:
    yield state
    yield warehouse.parent
    tops = [path for path in state.iterdir() if path.name not in _OURS]
    if warehouse.parent != state:
        tops += [warehouse, warehouse.with_name(f"{warehouse.name}.wal"), warehouse.parent / "snapshots"]
    for top in tops:
        if top.exists():
            yield top
        if top.is_dir() and not top.is_symlink():
            yield from top.rglob("*")
