"""The platform's comings and goings, for people."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dataflow.cli.tables import size, state, table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.models import ServiceStatus
    from dataflow.operations.down import DownResult
    from dataflow.operations.lifecycle import LifecycleResult
    from dataflow.operations.logs import ServiceLine, ServiceLines
    from dataflow.operations.up import UpResult
    from dataflow.operations.visit import Page


_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


def show_up(console: Console, result: UpResult) -> None:
    """What is up and where; after a dry run, what would be done and why."""
    if result.dry_run:
        table(console, ["SERVICE", "WOULD", "BECAUSE"], [(a.service, a.verb, a.cause) for a in result.actions])
        return
    kept = all(action.verb in {"keep", "skip"} for action in result.actions)
    word = "was up already" if kept else f"is up after {result.seconds:.1f} s"
    console.print(f"{result.project} {word} ({result.engine.name} engine).")
    for service in result.services:
        if service.url:
            console.print(f"  {service.label}: {service.url}")
    console.print("See `dataflow status`; stop with `dataflow down`.")


def show_down(console: Console, result: DownResult) -> None:
    """What ended."""
    if not result.processes:
        console.print(f"{result.project} was not up.")
        return
    runs = f", {len(result.cancelled_runs)} runs cancelled" if result.cancelled_runs else ""
    console.print(f"{result.project} is down after {result.seconds:.1f} s: {result.processes} processes ended{runs}.")


def show_services(console: Console, result: LifecycleResult) -> None:
    """The services that were touched."""
    rows = [(s.name, state(condition(s)), size(s.memory), s.url or "") for s in result.services]
    table(console, ["SERVICE", "STATE", "#MEMORY", "URL"], rows)


def condition(service: ServiceStatus) -> str:
    """State and health in one word: how a running service feels, or that it does not run."""
    told = service.state == "running" and service.health not in {"none", "unknown"}
    return service.health if told else service.state


def show_page(console: Console, page: Page) -> None:
    """Where it is."""
    console.print(page.url, soft_wrap=True)


def show_lines(console: Console, result: ServiceLines) -> None:
    """Lines of logs."""
    if not result.lines:
        console.print("No log lines yet.")
    for line in result.lines:
        show_line(console, line)


def show_line(console: Console, line: ServiceLine) -> None:
    """One line; JSON of Dagster's is made readable, and no terminal escape gets through."""
    from rich.text import Text

    console.print(Text.assemble((f"{line.service} | ", "dim"), _readable(line.text)), soft_wrap=True)


def _readable(text: str) -> str:
    if text.startswith("{"):
        try:
            data = json.loads(text)
            text = f"{data['timestamp']} {data['level'].upper():<8} {data['event']}"
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    return printable(text)


def printable(text: str) -> str:
    """Text from a back end without terminal escapes and control characters."""
    return _ESCAPES.sub("", text)
