"""Branches on disk: copies of the warehouse, each with a record of what it was made from.

.dataflow/branches/<name, quoted>/
    branch.json              name, base, when, and where the copy lies
    <file of the warehouse>  the copy, and its own snapshots/, unless it lies in another worktree
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dataflow.config.documents import load_toml
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import WarehouseSettings
from dataflow.errors import UsageError
from dataflow.events import ignore
from dataflow.operations.context import Context
from dataflow.system.files import read_state, write_json

RECORD = "branch.json"
_RESERVED = frozenset({"live", "snapshot", "last"})
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*")


@dataclass(frozen=True, slots=True)
class Branch:
    """A copy of the warehouse. `base`: what it was made from, as of `as_of`. `worktree`: whose own warehouse it is.

    `bytes`: size of the file; None where it is gone. `in_use`: this project works on it in place of its own.
    """

    name: str
    path: Path
    base: str
    as_of: datetime
    created: datetime
    worktree: Path | None = None
    bytes: int | None = None
    in_use: bool = False


def branches(context: Context) -> list[Branch]:
    """Every branch of the project, by name. A record that nobody can read counts as none."""
    found = [_read(record, context.warehouse) for record in folder(context.paths).glob(f"*/{RECORD}")]
    return sorted((branch for branch in found if branch), key=lambda branch: branch.name)


def folder(paths: ProjectPaths) -> Path:
    """Where they all lie."""
    return paths.state / "branches"


def folder_of(paths: ProjectPaths, name: str) -> Path:
    """The folder of one; a name may hold slashes, as those of git do.

    Raises:
        UsageError: BRANCH_NAME_ILLEGAL.
    """
    if name in _RESERVED or not _NAME.fullmatch(name):
        hint = f"Letters, digits, dots, - and _, with slashes between; not {', '.join(sorted(_RESERVED))}."
        raise UsageError(f"A branch cannot be called '{name}'.", code="BRANCH_NAME_ILLEGAL", hint=hint)
    return folder(paths) / quote(name, safe="")


def own_warehouse(context: Context) -> Path:
    """The project's own warehouse, also while a branch is in use in its place."""
    if folder(context.paths) not in context.warehouse.parents:
        return context.warehouse
    written: dict[str, Any] = load_toml(context.paths.config).data.get("warehouse", {})
    return (context.paths.root / written.get("path", WarehouseSettings().path)).resolve()


def write(paths: ProjectPaths, branch: Branch) -> None:
    """Write the record."""
    data = {name: getattr(branch, name) for name in ("name", "path", "base", "worktree")}
    times = {"as_of": branch.as_of.isoformat(), "created": branch.created.isoformat()}
    write_json(folder_of(paths, branch.name) / RECORD, data | times)


def _read(record: Path, in_use: Path) -> Branch | None:
    data = read_state(record, ignore)
    try:
        path = Path(data["path"])
        return Branch(
            name=data["name"],
            path=path,
            base=data["base"],
            as_of=datetime.fromisoformat(data["as_of"]),
            created=datetime.fromisoformat(data["created"]),
            worktree=Path(data["worktree"]) if data["worktree"] else None,
            bytes=path.stat().st_size if path.is_file() else None,
            in_use=path == in_use,
        )
    except (KeyError, TypeError, ValueError):
        return None
