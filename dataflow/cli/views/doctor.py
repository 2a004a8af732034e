"""Checks for people: a line each, then what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import count, size, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.doctor import CheckResult, DoctorResult
    from dataflow.operations.support import Bundle

_HIDDEN = {"pass", "skipped"}


def show_doctor(console: Console, result: DoctorResult) -> None:
    """Every check; below, the cure of each that does not pass; last, how many of each."""
    table(console, ["CHECK", "STATE", "WHAT"], [(one.name, state(one.state), one.message) for one in result.checks])
    console.print()
    for one in result.checks:
        _show_cure(console, one)
    summary = result.summary
    words = [f"{summary.passed} passed", count(summary.warnings, "warning"), f"{summary.failed} failed"]
    console.print(f"{', '.join(words)}, {summary.skipped} skipped; {result.seconds:.1f} s.", soft_wrap=True)
    fixable = sum(one.fixable for one in result.checks)
    if fixable:
        console.print(f"{fixable} of these: `dataflow doctor --fix` puts it right.", soft_wrap=True)


def _show_cure(console: Console, one: CheckResult) -> None:
    from rich.text import Text

    if one.fixed:
        console.print(Text.assemble(("fixed ", "green"), f"{one.name}: {one.fixed}"), soft_wrap=True)
    if one.state in _HIDDEN or not (one.hint or one.command):
        return
    console.print(Text.assemble(state(one.state), f" {one.name}", f" ({one.about})" if one.about else ""))
    if one.hint:
        console.print(Text(f"  {one.hint}"))
    if one.command:
        console.print(Text.assemble("  ", (one.command, "bold cyan")), soft_wrap=True)


def show_bundle(console: Console, result: Bundle) -> None:
    """Where it is, and what could not be had."""
    for one in result.left_out:
        console.print(f"Not in it: {one.part}: {one.reason}")
    console.print(f"{len(result.files)} files, {size(result.bytes)}, without secrets that are known:")
    console.print(str(result.path), soft_wrap=True)
