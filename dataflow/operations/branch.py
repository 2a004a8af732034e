"""Branches of the warehouse: a copy for a git branch or worktree, to try things on."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dataflow.config.environment import warehouse_path
from dataflow.config.paths import find_project
from dataflow.config.settings import variable_of
from dataflow.config.validation import suggestion
from dataflow.errors import Action, ConfirmationNeeded, UsageError, WarehouseError
from dataflow.operations import branch_files
from dataflow.operations.audit import audited
from dataflow.operations.branch_files import Branch
from dataflow.operations.context import Context
from dataflow.operations.warehouses import LIVE, Reading, find_warehouse, reading
from dataflow.shared.connecting import opened
from dataflow.shared.snapshot_files import SnapshotFolder
from dataflow.system.copies import Method, copy_file
from dataflow.system.files import mapped_os_errors

VARIABLE = variable_of("warehouse.path")


@dataclass(frozen=True, slots=True)
class BranchList:
    """Every branch by name, and the project's own warehouse, which is used where no branch is."""

    live: Path
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class BranchCreated:
    """`method`: whether blocks are shared with the base. `stale`: somebody writes to it, and this is as of before.

    `use`: the variable that makes the project work on it; None in a worktree, which does so by itself.
    """

    branch: Branch
    method: Method
    stale: bool
    use: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class BranchDropped:
    """A branch that is gone, and how many bytes its file had."""

    name: str
    path: Path
    bytes: int | None


def list_branches(context: Context) -> BranchList:
    """The branches of the project."""
    return BranchList(branch_files.own_warehouse(context), tuple(branch_files.branches(context)))


def create(context: Context, name: str, *, base: str = LIVE, worktree: Path | None = None) -> BranchCreated:
    """Copy a warehouse. Of one that somebody writes to, the published snapshot is copied: the writer goes on.

    `worktree`: the folder of another project, such as a git worktree of this one, whose own warehouse the copy becomes.

    Raises:
        UsageError: BRANCH_NAME_ILLEGAL, BRANCH_EXISTS, WAREHOUSE_UNKNOWN, WORKTREE_SAME, FILE_EXISTS.
        MissingError: NO_PROJECT; the worktree is none.
        WarehouseError: WAREHOUSE_MISSING, WAREHOUSE_LOCKED (never published).
        OperationFailedError: DISK_FULL, NOT_WRITABLE; nothing is left of the copy.
    """
    began = time.monotonic()
    folder = branch_files.folder_of(context.paths, name)
    if (folder / branch_files.RECORD).exists():
        actions = (
            Action("See it", "dataflow data branch list"),
            Action("Drop it", f"dataflow data branch drop {name}"),
        )
        raise UsageError(f"There is a branch '{name}' already.", code="BRANCH_EXISTS", actions=actions)
    source = find_warehouse(context, base)
    root, target = _target(context, folder, worktree)
    with audited(context, "data branch create", f"{name} from {source.name}"), reading(source) as read:
        method = _copy(read, target)
        as_of = read.as_of or datetime.now(UTC)
        branch = Branch(name, target, source.name, as_of, datetime.now(UTC), root, target.stat().st_size)
        branch_files.write(context.paths, branch)
    use = None if root else f"{VARIABLE}={target}"  # absolute: Dagster reads .env, too
    return BranchCreated(branch, method, read.stale, use, round(time.monotonic() - began, 2))


def require_branch(context: Context, name: str) -> Branch:
    """A branch by its name. Raises UsageError BRANCH_UNKNOWN, with a did-you-mean."""
    known = {branch.name: branch for branch in branch_files.branches(context)}
    if name in known:
        return known[name]
    hint = suggestion(name, known) or (f"There are: {', '.join(known)}." if known else "There are none yet.")
    actions = (Action("Make it", f"dataflow data branch create {name}"),)
    raise UsageError(f"There is no branch '{name}'.", code="BRANCH_UNKNOWN", hint=hint, actions=actions)


def drop(context: Context, name: str, *, confirmed: bool) -> BranchDropped:
    """Remove a branch with its file and snapshots; of a worktree that is gone, what is known of it.

    Raises:
        UsageError: BRANCH_UNKNOWN, BRANCH_IN_USE.
        ConfirmationNeeded: nobody confirmed it.
        WarehouseError: WAREHOUSE_LOCKED; somebody has it open.
    """
    branch = require_branch(context, name)
    if branch.in_use:
        hint = f"Remove {VARIABLE} from the environment or .env first: then the project uses its own warehouse again."
        raise UsageError(f"The branch '{name}' is in use.", code="BRANCH_IN_USE", hint=hint)
    if not confirmed:
        message = f"This removes {branch.path} and everything that was written to it."
        raise ConfirmationNeeded(message, hint="Add --yes to do it.")
    with audited(context, "data branch drop", name), mapped_os_errors(branch.path):
        if branch.path.exists():
            _require_free(branch.path)
            for file in (branch.path, _log_of(branch.path)):
                file.unlink(missing_ok=True)
            shutil.rmtree(SnapshotFolder(branch.path).root, ignore_errors=True)
        shutil.rmtree(branch_files.folder_of(context.paths, name))
    return BranchDropped(name, branch.path, branch.bytes)


def _target(context: Context, folder: Path, worktree: Path | None) -> tuple[Path | None, Path]:
    """The worktree's root and its warehouse; else a file of the same name in the branch's folder.

    The name stays: it is the database's name in SQL, and views may say it.
    """
    if worktree is None:
        return None, folder / branch_files.own_warehouse(context).name
    there = Context(find_project(worktree))
    if there.paths.root == context.paths.root:
        hint = "Make one beside it: git worktree add ../feature -b feature"
        raise UsageError(f"{there.paths.root} is this project itself.", code="WORKTREE_SAME", hint=hint)
    target = warehouse_path(there.paths, there.loaded)
    if target.exists():
        hint = "Remove it there to have a copy in its place, or make the branch without --worktree."
        raise UsageError(f"{target} exists.", code="FILE_EXISTS", hint=hint)
    return there.paths.root, target


def _copy(read: Reading, target: Path) -> Method:
    """The whole file or nothing. A log that its writer left behind belongs to it."""
    with mapped_os_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        method = copy_file(read.file, partial)
        log = _log_of(read.file)
        if log.exists() and log.stat().st_size:
            copy_file(log, _log_of(target))
        partial.replace(target)
    except BaseException:
        for file in (partial, _log_of(target)):
            file.unlink(missing_ok=True)
        raise
    return method


def _require_free(path: Path) -> None:
    """Raises WarehouseError WAREHOUSE_LOCKED, naming who has it open. What cannot be opened at all may go."""
    try:
        with opened(path, read_only=False, wait=0):
            pass
    except WarehouseError as error:
        if error.code == "WAREHOUSE_LOCKED":
            raise


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
