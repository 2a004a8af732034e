"""Alerts and silences, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import ago, table
from dataflow.cli.views.logs import printable

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.alerts import Alert, AlertList
    from dataflow.operations.silences import SilenceInfo, SilenceList

_STYLES = {"firing": "bold red", "pending": "yellow", "acknowledged": "dim", "silenced": "dim"}


def show_alerts(console: Console, result: AlertList) -> None:
    """A line per alert, with its summary and what helps."""
    from rich.text import Text

    if not result.alerts:
        console.print("No alerts.")
    for alert in result.alerts:
        head = Text.assemble((alert.state, _STYLES[alert.state]), f" {alert.severity} ", (alert.name, "bold"))
        console.print(head.append(f" {alert.id} · since {ago(alert.since)}"))
        console.print(Text(f"  {printable(alert.summary)}"))
        if alert.until:
            console.print(Text(f"  {_whose(alert)}"))
        console.print(Text.assemble("  ", (printable(alert.action), "bold cyan")), soft_wrap=True)
    if result.note:
        console.print(f"note: {result.note}", soft_wrap=True)


def _whose(alert: Alert) -> str:
    until = f"{alert.until.astimezone():%m-%d %H:%M}" if alert.until else ""
    reason = f": {printable(alert.comment)}" if alert.comment else ""
    return f"{alert.state} by {printable(alert.by)} until {until}{reason}"


def show_silences(console: Console, result: SilenceList) -> None:
    """A row per silence."""
    if not result.silences:
        console.print("No silences.")
        return
    rows = [
        (one.id[:8], f"{one.until.astimezone():%m-%d %H:%M}", printable(one.by), _about(one)) for one in result.silences
    ]
    table(console, ["SILENCE", "UNTIL", "BY", "ABOUT"], rows)


def show_made(console: Console, result: SilenceList) -> None:
    """What was silenced, until when, and how to end it."""
    from rich.text import Text

    for one in result.silences:
        console.print(Text(f"Silent until {one.until.astimezone():%m-%d %H:%M}: {_about(one)}"))
        console.print(f"End it with `dataflow alerts silence --expire {one.id[:8]}`.", soft_wrap=True)


def show_ended(console: Console, result: SilenceList) -> None:
    """What is no longer silent."""
    from rich.text import Text

    for one in result.silences:
        console.print(Text(f"No longer silent: {_about(one)}"))


def _about(silence: SilenceInfo) -> str:
    comment = f" ({silence.comment})" if silence.comment else ""
    return printable(f"{' '.join(silence.matchers)}{comment}")
