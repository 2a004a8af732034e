"""The status for people: one screen, what is wrong in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dataflow.cli.output import Output
from dataflow.cli.tables import ago, size, state, table, took
from dataflow.operations.status import StatusResult, WorkflowStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def show_status(console: Console, result: StatusResult) -> None:
    """Services, workflows, data."""
    from rich.text import Text

    console.print(
        Text.assemble(
            f"{result.project} is ", state(result.state), f"  ·  {result.engine.name} engine ({result.engine.reason})"
        )
    )
    console.print()
    rows = [
        (
            s.name,
            state(s.state),
            state(s.health),
            ago(s.since),
            str(s.pid or "-"),
            size(s.memory),
            _restarts(s.restarts),
            (s.url or "") if s.pid else "",
        )
        for s in result.services
    ]
    table(console, ["SERVICE", "STATE", "HEALTH", "#SINCE", "#PID", "#MEMORY", "#↻", "URL"], rows)
    for service in result.services:
        if service.detail:
            console.print(f"  {service.name}: {service.detail}")
    console.print()
    _show_workflows(console, result)
    snapshot = f", snapshot {ago(result.warehouse.snapshot)} old" if result.warehouse.snapshot else ""
    console.print(f"warehouse {size(result.warehouse.bytes)}{snapshot}")


def watch_status(output: Output, looks: Iterator[StatusResult]) -> None:
    """Redraw in place in a terminal; elsewhere one look after the other."""
    if output.json or not output.console.is_terminal:
        for result in looks:
            output.item(result, show_status)
        return
    from rich.live import Live

    with Live(console=output.console, auto_refresh=False, screen=True) as live:
        for result in looks:
            live.update(_captured(output.console, result), refresh=True)


def _captured(console: Console, result: StatusResult) -> Any:
    from rich.text import Text

    with console.capture() as capture:
        show_status(console, result)
    return Text.from_ansi(capture.get())


def _show_workflows(console: Console, result: StatusResult) -> None:
    if result.workflows:
        rows = [_workflow_row(item) for item in result.workflows]
        table(console, ["WORKFLOW", "LAST RUN", "#AGO", "#TOOK", "RUN"], rows)
    else:
        console.print("No workflows yet.")
    if result.note:
        console.print(f"  {result.note}")
    console.print()


def _restarts(count: int) -> str:
    return str(count) if count else ""


def _workflow_row(item: WorkflowStatus) -> tuple[str | Text, ...]:
    run = item.last_run
    if run is None:
        return item.name, "-", "-", "-", ""
    return item.name, state(run.state), ago(run.created), took(run.seconds), run.id[:8]
