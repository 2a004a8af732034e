"""Engines and versions, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import size, table, took
from dataflow.cli.views.backup import holds

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.engines import EngineShown, SwitchResult
    from dataflow.operations.upgrade import UpgradeResult


def show_engine(console: Console, result: EngineShown) -> None:
    """The engine, and what is known of Docker."""
    console.print(f"{result.name} ({result.reason})")
    if result.lacks:
        console.print(f"Docker cannot be used here: {result.lacks}.")
        return
    kind = ", rootless" if result.rootless else ""
    console.print(f"Docker Engine {result.version}{kind} at {result.endpoint}, Compose {result.compose}")
    room = f", {size(result.free_disk)} of disk free" if result.free_disk is not None else ""
    console.print(f"It has {result.cpus} processors and {size(result.memory)} of memory{room}.")


def show_switch(console: Console, result: SwitchResult) -> None:
    """What came along."""
    rows = [(p.name, holds(p.name, p.before), holds(p.name, p.after)) for p in result.parts]
    table(console, ["PART", result.before.upper(), result.engine.upper()], rows)
    console.print(f"The project is on the {result.engine} engine after {took(result.seconds)}; nothing is missing.")
    console.print(f"The way it came is kept as {result.backup}.")


def show_upgrade(console: Console, result: UpgradeResult) -> None:
    """Old and new."""
    changed = [version for version in result.versions if version.changes]
    if not changed:
        console.print("Everything is as new as it can be had.")
        return
    table(console, ["SERVICE", "BEFORE", "AFTER"], [(v.name, v.before, v.after) for v in changed])
    if result.dry_run:
        console.print("Nothing was changed. Do it with `dataflow upgrade`.")
        return
    kept = f"; the state before is in {result.backup}" if result.backup else ""
    console.print(f"Upgraded in {took(result.seconds)}{kept}.")
