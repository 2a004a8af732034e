"""Backups, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.cli.tables import ago, count, size, table, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.backup import BackupList
    from dataflow.operations.backup_format import Backup
    from dataflow.operations.restore import RestoreResult, Verified


def show_created(console: Console, backup: Backup) -> None:
    """What is in it, and what is not."""
    table(console, ["PART", "#SIZE", "HOLDS"], [(p.name, size(p.bytes), holds(p.name, p.facts)) for p in backup.parts])
    console.print(f"Backup {backup.id}, {size(backup.bytes)}. Secrets: {backup.secrets}.")
    console.print(f"Bring it back with `dataflow backup restore {backup.id}`.")


def show_list(console: Console, result: BackupList) -> None:
    """One line per backup."""
    if not result.backups:
        console.print("No backups yet: `dataflow backup create` makes one.")
        return
    rows = [(b.id, ago(b.created), b.engine, size(b.bytes), b.reason) for b in result.backups]
    table(console, ["BACKUP", "#AGO", "ENGINE", "#SIZE", "MADE"], rows)


def show_verified(console: Console, result: Verified) -> None:
    """That it is whole."""
    parts = count(len(result.backup.parts), "part")
    console.print(f"{result.backup.id} is whole: {parts}, {size(result.backup.bytes)}, {took(result.seconds)}.")


def show_restored(console: Console, result: RestoreResult) -> None:
    """What went, or would go, where."""
    now = "NOW" if result.dry_run else "READ BACK"
    rows = [(p.name, p.action, holds(p.name, p.facts), holds(p.name, p.now)) for p in result.parts]
    table(console, ["PART", "ACTION", "BACKUP", now], rows)
    if result.dry_run:
        console.print(f"Nothing was changed. Do it with `dataflow backup restore {result.backup.id}`.")
        return
    console.print(f"Restored {result.backup.id} on the {result.engine} engine in {took(result.seconds)}.")
    if result.snapshot:
        console.print(f"The state before is in {result.snapshot}.")


def holds(name: str, facts: dict[str, Any] | None) -> str:
    """Counts in words."""
    if not facts:
        return "-" if facts is None else ""
    match name:
        case "warehouse":
            return f"{count(len(facts['tables']), 'table')}, {count(facts['rows'], 'row')}"
        case "objects":
            return f"{count(facts['objects'], 'object')}, {size(facts['bytes'])}"
        case "history":
            return f"{count(facts['runs'], 'run')}, {count(facts['events'], 'event')}"
        case _:
            files = facts.get("files", ())
            return count(files if isinstance(files, int) else len(files), "file")
