"""Settings and findings, for people and for GitHub."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dataflow.cli.errors import show_place
from dataflow.cli.tables import table, value

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.configuration import ConfigChecked, ConfigShown


def shower(*, origin: bool) -> Callable[[Console, ConfigShown], None]:
    """Shows settings, with or without their origins."""

    def show(console: Console, result: ConfigShown) -> None:
        columns = ["KEY", "VALUE", *(["FROM"] if origin else [])]
        rows = [(v.key, value(v.value), *([v.origin] if origin else [])) for v in result.values]
        table(console, columns, rows)

    return show


def show_checked(console: Console, result: ConfigChecked) -> None:
    """Findings with their lines; or that there are none."""
    for finding in result.findings:
        console.print(f"{finding.severity} {finding.rule}: {finding.message}", soft_wrap=True)
        show_place(console, finding.place)
        if finding.hint:
            console.print(f"  {finding.hint}", soft_wrap=True)
    if not result.findings:
        console.print(f"All good: {', '.join(result.files)}.", soft_wrap=True)


def show_github(console: Console, result: ConfigChecked) -> None:
    """Workflow commands that GitHub shows beside the lines (docs.github.com: workflow commands for Actions)."""
    for finding in result.findings:
        place = finding.place
        where = f"file={place.path},line={place.line or 1}" + (f",col={place.column}" if place.column else "")
        text = f"{finding.message} {finding.hint or ''}".strip().replace("%", "%25").replace("\n", "%0A")
        console.print(f"::{finding.severity} {where},title={finding.rule}::{text}", soft_wrap=True)
