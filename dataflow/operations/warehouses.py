"""Which warehouse a word means, and how to read it without keeping its writer waiting."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from dataflow.config.validation import suggestion
from dataflow.errors import Action, UsageError, WarehouseError
from dataflow.operations import backup, branch_files
from dataflow.operations.context import Context
from dataflow.shared import db, snapshot
from dataflow.shared.connecting import opened

LIVE, SNAPSHOT = "live", "snapshot"
Kind = Literal["live", "snapshot", "branch", "backup", "file"]
# Reading goes on with what was published before: somebody writes or publishes, or there is no room for a snapshot.
_NOT_NOW = frozenset({"WAREHOUSE_LOCKED", "SNAPSHOT_BUSY", "DISK_FULL", "NOT_WRITABLE"})


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse that a command names, and its file."""

    name: str
    kind: Kind
    path: Path


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that may be read. `stale`: somebody writes, and this is as of the last publication."""

    file: Path
    source: Literal["live", "snapshot"]
    as_of: datetime | None
    stale: bool


def find_warehouse(context: Context, word: str) -> Warehouse:
    """`live`, `snapshot`, a branch, a backup (its id, the beginning of it, or `last`) or the path of a file.

    Raises:
        UsageError: WAREHOUSE_UNKNOWN, with a did-you-mean.
    """
    branches = {branch.name: branch for branch in branch_files.branches(context)}
    if word in (LIVE, SNAPSHOT):
        return Warehouse(word, word, branch_files.own_warehouse(context))
    if word in branches:
        return Warehouse(word, "branch", branches[word].path)
    path = Path(word).expanduser()
    if path.is_file():
        return Warehouse(word, "file", path.resolve())
    with suppress(UsageError):
        found = backup.find(context, word)
        if part := found.part("warehouse"):
            return Warehouse(found.id, "backup", found.path / part.file)
    names = [LIVE, SNAPSHOT, *branches, *(one.id for one in backup.list_backups(context).backups)]
    hint = suggestion(word, names) or f"There are: {', '.join(names)}; or give the path of a file."
    actions = (Action("See the branches there are", "dataflow data branch list"),)
    raise UsageError(f"There is no warehouse '{word}'.", code="WAREHOUSE_UNKNOWN", hint=hint, actions=actions)


@contextmanager
def reading(warehouse: Warehouse) -> Generator[Reading]:
    """The file to read for as long as the block lasts: of a warehouse that is written to, a published snapshot.

    Raises:
        WarehouseError: WAREHOUSE_MISSING, WAREHOUSE_LOCKED (never published), and others of `shared.db`.
    """
    with ExitStack() as stack:
        if warehouse.kind == "snapshot":
            yield _published(stack, warehouse.path)
            return
        if warehouse.kind in ("live", "branch"):
            publish_if_possible(warehouse.path)
        reader = stack.enter_context(db.read_connection(warehouse.path))
        sql = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        row = reader.connection.execute(sql).fetchall()[0]
        yield Reading(Path(row[0]), reader.source, reader.as_of, reader.stale)


def publish_if_possible(path: Path) -> None:
    """Bring the snapshot of a warehouse up to date, unless somebody writes."""
    try:
        snapshot.publish(path, wait=0.3)
    except WarehouseError as error:
        if error.code not in _NOT_NOW:
            raise


def _published(stack: ExitStack, path: Path) -> Reading:
    found = snapshot.current(path)
    if found is None:
        hint = "The end of a run publishes one, and so does `dataflow data query --write`."
        raise WarehouseError(f"{path} has no published snapshot yet.", code="WAREHOUSE_MISSING", hint=hint)
    stack.enter_context(opened(found.path, read_only=True, wait=0.3))
    return Reading(found.path, "snapshot", found.as_of, not found.fresh)
