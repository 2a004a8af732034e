"""Build the state of a backup aside, on either engine, prove that nothing is missing, and turn to it."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from typing import Any

from dataflow.engines.base import PlanOptions
from dataflow.errors import OperationFailedError
from dataflow.events import Report, StepChanged, ignore
from dataflow.models import EngineName
from dataflow.operations import backup_parts
from dataflow.operations.backup_format import Backup, Part, PartName
from dataflow.operations.bring_up import bring_up
from dataflow.operations.context import Context
from dataflow.operations.quiet import data_services, has_databases, has_history, has_objects
from dataflow.operations.staging import Move, Staging, discard, stage, turn

Facts = dict[str, dict[str, Any]]


def carry_in(
    context: Context, backup: Backup, target: EngineName, names: Collection[PartName], report: Report
) -> Facts:
    """Bring parts of a backup in, in the place of what is there. The platform is down, and its lock held.

    Returns what each part holds now. Whatever fails, and however it is cut off, the state before stays whole until all
    parts are there and equal to the backup's.

    Raises:
        OperationFailedError: RESTORE_MISMATCH; a part came out with other counts or another digest.
    """
    staging = stage(context, target)
    try:
        facts = _fill(staging, backup, names, report)
        moves = _file_moves(context, staging, backup, names)
        _require_equal(backup, facts)
    except BaseException:
        discard(context)
        raise
    turn(staging, context.paths, moves)
    Context(context.paths, {"engine": target}).engine.carrier.forget_replaced()
    return facts


def _fill(staging: Staging, backup: Backup, names: Collection[PartName], report: Report) -> Facts:
    """Start the services with data, empty as they are, and fill them."""
    inner, facts = staging.context, Facts()
    report(StepChanged("services with data", "started", "starting"))
    if needed := data_services(inner):
        bring_up(inner, PlanOptions(only=needed), ignore)
    report(StepChanged("services with data", "done"))
    if (part := _wanted(backup, names, "objects")) and _takes(has_objects(inner), part, report):
        report(StepChanged("objects", "started", "loading"))
        facts["objects"] = backup_parts.load_objects(inner.store(), backup.path / part.file, report)
        report(StepChanged("objects", "done", f"{facts['objects']['objects']:,} objects"))
    carrier = inner.engine.carrier
    if (part := _wanted(backup, names, "history")) and _takes(has_history(inner), part, report):
        report(StepChanged("history", "started", "loading"))
        scratch = inner.paths.run / "history.jsonl.gz"  # where a container can read
        shutil.copy(backup.path / part.file, scratch)
        scratch.chmod(0o644)
        facts["history"] = carrier.history("load", scratch)
        scratch.unlink()
        report(StepChanged("history", "done", f"{facts['history']['runs']:,} runs"))
    if (part := _wanted(backup, names, "databases")) and _takes(has_databases(inner), part, report):
        carrier.load_databases(backup.path / part.file)
        report(StepChanged("databases", "done"))
    inner.engine.shut_down(ignore)
    return facts


def _takes(able: bool, part: Part, report: Report) -> bool:
    """Whether the project has a place for a part; where it has none, it is said, and the part stays in the backup."""
    if not able:
        report(StepChanged(part.name, "skipped", "no service here holds it: it stays in the backup"))
    return able


def _file_moves(context: Context, staging: Staging, backup: Backup, names: Collection[PartName]) -> list[Move]:
    """Copy what is files beside its place, and say what goes where."""
    moves: list[Move] = []
    paths = context.paths
    if part := _wanted(backup, names, "warehouse"):
        copy = staging.folder / "warehouse.duckdb"
        shutil.copy(backup.path / part.file, copy)
        moves += [(None, context.warehouse.with_name(f"{context.warehouse.name}.wal")), (copy, context.warehouse)]
    if part := _wanted(backup, names, "files"):
        unpacked = staging.folder / "files"
        backup_parts.unpack(backup.path / part.file, unpacked)
        moves.append((unpacked / "logs" / "runs", paths.run_logs))
        storage = unpacked / "dagster" / "storage"
        if staging.context.has_files:
            if storage.exists():  # it goes with the folder that holds the history
                shutil.move(storage, staging.context.paths.dagster_home / "storage")
        else:
            moves.append((storage, paths.dagster_home / "storage"))
    return moves


def _require_equal(backup: Backup, facts: Facts) -> None:
    for name, now in facts.items():
        part = next(part for part in backup.parts if part.name == name)
        if now != part.facts:
            message = f"The {name} came out as {now}, and the backup holds {part.facts}."
            raise OperationFailedError(message, code="RESTORE_MISMATCH", hint="The state before was left as it is.")


def _wanted(backup: Backup, names: Collection[PartName], name: PartName) -> Any:
    return backup.part(name) if name in names else None
