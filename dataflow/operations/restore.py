"""Verify a backup, and bring the platform back to it."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dataflow.config import dotenv
from dataflow.engines.native_upgrader import installed
from dataflow.errors import Action, ConfigurationError, ConfirmationNeeded, OperationFailedError, UsageError
from dataflow.events import Noted, Report, StepChanged
from dataflow.models import EngineName
from dataflow.operations import backup_format, backup_parts
from dataflow.operations.audit import audited
from dataflow.operations.backup import PASSPHRASE, before_loss, find
from dataflow.operations.backup_format import Backup, PartName
from dataflow.operations.carry import carry_in
from dataflow.operations.context import Context
from dataflow.operations.staging import recover
from dataflow.operations.standing import Standing
from dataflow.system.files import exclusive

REPLACED: tuple[PartName, ...] = ("warehouse", "objects", "history", "files", "databases")


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """`backup`: id, its beginning, `last`, or a folder. `secrets`: also variables of .env that are missing here."""

    backup: str
    dry_run: bool = False
    confirmed: bool = False
    snapshot: bool = True
    secrets: bool = False


@dataclass(frozen=True, slots=True)
class PartRestored:
    """One part. `facts` are what it holds; after a restore as read back from where it is now."""

    name: PartName
    action: Literal["replace", "add missing", "leave"]
    facts: dict[str, Any]
    now: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """What was, or would be, restored. `snapshot`: the backup of the state before."""

    backup: Backup
    engine: EngineName
    dry_run: bool
    parts: tuple[PartRestored, ...]
    snapshot: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup whose files are all there and as they were written."""

    backup: Backup
    seconds: float


def verify(context: Context, name: str, report: Report) -> Verified:
    """Read every file of a backup again, and open its warehouse.

    Raises:
        UsageError: BACKUP_UNKNOWN.
        OperationFailedError: BACKUP_DAMAGED, with the first part that is not as it was.
    """
    began = time.monotonic()
    backup = find(context, name)
    _require_whole(backup, report)
    return Verified(backup, round(time.monotonic() - began, 2))


def restore(context: Context, options: RestoreOptions, report: Report) -> RestoreResult:
    """Bring the platform back to a backup, on the engine in use, whichever made it.

    Raises:
        ConfirmationNeeded: nobody confirmed it.
        UsageError: BACKUP_UNKNOWN, PASSPHRASE_WRONG, SECRETS_MISSING.
        OperationFailedError: BACKUP_DAMAGED, RESTORE_MISMATCH, RUNS_ACTIVE; the state before stays.
    """
    began = time.monotonic()
    backup = find(context, options.backup)
    _require_whole(backup, report)
    engine = context.choice.name
    if options.dry_run:
        return RestoreResult(backup, engine, True, _plan(context, backup, options), None, _since(began))
    if not options.confirmed:
        message = f"This replaces the warehouse, objects and run history of {context.name} by those of {backup.id}."
        hint = "The state of now is backed up first unless --no-snapshot. Add --yes to do it."
        raise ConfirmationNeeded(message, hint=hint)
    secrets = _secrets(backup) if options.secrets else {}
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "backup restore", backup.id):
        recover(context, report)
        kept = before_loss(context, "restore", report) if options.snapshot and _has_data(context) else None
        with Standing(context, report):
            facts = carry_in(context, backup, engine, REPLACED, report)
            backup_parts.publish(context.warehouse)
            _add_missing(context, backup, secrets, report)
        if "warehouse" in {part.name for part in backup.parts}:
            facts["warehouse"] = backup_parts.facts_of_warehouse(context.warehouse)
    parts = tuple(
        PartRestored(part.name, _action(context, part.name, options), part.facts, facts.get(part.name))
        for part in backup.parts
    )
    return RestoreResult(backup, engine, False, parts, kept.id if kept else None, _since(began))


def _plan(context: Context, backup: Backup, options: RestoreOptions) -> tuple[PartRestored, ...]:
    """What would happen to each part, beside what is there now as far as that can be told without starting anything."""
    now: dict[str, dict[str, Any]] = {"warehouse": backup_parts.facts_of_warehouse(context.warehouse)}
    if context.runs("object-store"):
        now["objects"] = backup_parts.facts_of_objects(context.store())
    return tuple(
        PartRestored(part.name, _action(context, part.name, options), part.facts, now.get(part.name))
        for part in backup.parts
    )


def _action(context: Context, name: PartName, options: RestoreOptions) -> Literal["replace", "add missing", "leave"]:
    if name == "secrets":
        return "add missing" if options.secrets else "leave"
    if name == "configuration":
        return "add missing"
    return "leave" if name == "databases" and context.has_files else "replace"


def _require_whole(backup: Backup, report: Report) -> None:
    for part in backup.parts:
        report(StepChanged(part.name, "started", "verifying"))
        file = backup.path / part.file
        if not file.is_file() or backup_format.sha256_of_file(file) != part.sha256:
            what = "is not as it was written" if file.is_file() else "is missing"
            message = f"The backup {backup.id} is damaged: {part.file} {what}."
            actions = (Action("Look for another", "dataflow backup list"),)
            raise OperationFailedError(message, code="BACKUP_DAMAGED", actions=actions)
        if part.name == "warehouse" and not _same_warehouse(backup, part.facts, file):
            message = f"The warehouse in the backup {backup.id} does not hold what its manifest says."
            raise OperationFailedError(message, code="BACKUP_DAMAGED")
        report(StepChanged(part.name, "done", "as it was written"))


def _same_warehouse(backup: Backup, written: dict[str, Any], file: Path) -> bool:
    """Whether a warehouse has the tables and rows that were written down. Another DuckDB may hash them otherwise."""
    found = backup_parts.facts_of_warehouse(file)
    if backup.pins.get("package duckdb") == installed().get("duckdb"):
        return found == written
    return {name: table["rows"] for name, table in found["tables"].items()} == {
        name: table["rows"] for name, table in written["tables"].items()
    }


def _has_data(context: Context) -> bool:
    """Whether there is anything to lose: an empty project has never been up."""
    return context.warehouse.exists() or context.paths.stack.exists()


def _add_missing(context: Context, backup: Backup, secrets: dict[str, str], report: Report) -> None:
    """Files of the configuration and variables that are not there. Those that are, are the user's to change."""
    if backup.part("configuration"):
        unpacked = context.paths.run / "configuration"
        backup_parts.unpack(backup.path / "configuration.tar", unpacked)
        for file in sorted(path for path in unpacked.rglob("*") if path.is_file()):
            target = context.paths.root / file.relative_to(unpacked)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, target)
                report(Noted(f"{target.relative_to(context.paths.root)} was missing and is back."))
        shutil.rmtree(unpacked, ignore_errors=True)
    here = dotenv.load(context.paths.env).values
    missing = {name: value for name, value in secrets.items() if name not in here}
    if missing:
        dotenv.add(context.paths.env, missing, comment=f"From the backup {backup.id}.")
        report(Noted(f"{', '.join(missing)} were missing in .env and are back."))


def _secrets(backup: Backup) -> dict[str, str]:
    part = backup.part("secrets")
    if part is None:
        raise UsageError(f"The backup {backup.id} holds no secrets.", code="SECRETS_MISSING")
    passphrase = os.environ.get(PASSPHRASE)
    if not passphrase:
        message = "The secrets of a backup are encrypted, and there is no passphrase."
        actions = (Action("Give it", f"{PASSPHRASE}=… dataflow backup restore {backup.id} --with-secrets"),)
        raise ConfigurationError(message, code="PASSPHRASE_MISSING", actions=actions)
    text = backup_format.unseal((backup.path / part.file).read_bytes(), passphrase)
    return dotenv.parse(text).values


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)
