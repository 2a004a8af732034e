"""The status for people: one screen, what is wrong in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dataflow.cli.output import Output
from dataflow.cli.tables import ago, size, state, table, took
from dataflow.cli.views.stack import condition

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dataflow.operations.status import StatusResult, WorkflowStatus


def show_status(console: Console, result: StatusResult) -> None:
    """Services, workflows, data."""
    from rich.text import Text

    console.print(Text.assemble(f"{result.project} is ", state(result.state), f" · {result.engine.name} engine"))
    console.print()
    _show_services(console, result)
    for service in result.services:
        if service.detail:
            console.print(f"  {service.name}: {service.detail}")
    console.print()
    _show_workflows(console, result)
    data = result.warehouse
    snapshot = f", snapshot {ago(data.snapshot)} old" if data.snapshot else ""
    console.print(f"warehouse {size(data.bytes) if data.bytes else 'empty'}{snapshot}")


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
    """The status as text, drawn on a console of its own: the live one redraws at every print."""
    import io

    from rich.console import Console as OwnConsole
    from rich.text import Text

    page = OwnConsole(
        file=io.StringIO(),
        force_terminal=True,
        no_color=console.no_color,
        width=console.width,
        highlight=False,
        markup=False,
    )
    with page.capture() as capture:
        show_status(page, result)
    return Text.from_ansi(capture.get())


def _show_services(console: Console, result: StatusResult) -> None:
    """With the restarts where there were any: the table fits 80 columns without them."""
    restarted = any(service.restarts for service in result.services)
    columns = ["SERVICE", "STATE", "#SINCE", "#PID", "#MEMORY", *(["#↻"] if restarted else []), "URL"]
    rows = [
        (
            s.name,
            state(condition(s)),
            ago(s.since),
            str(s.pid or "-"),
            size(s.memory),
            *([str(s.restarts or "")] if restarted else []),
            (s.url or "") if s.pid else "",
        )
        for s in result.services
    ]
    table(console, columns, rows)


def _show_workflows(console: Console, result: StatusResult) -> None:
    if result.workflows:
        rows = [_workflow_row(item) for item in result.workflows]
        table(console, ["WORKFLOW", "LAST RUN", "#AGO", "#TOOK", "RUN"], rows)
        if result.note:
            console.print(f"  {result.note}")
    else:
        console.print("No workflows yet.")
    console.print()


def _workflow_row(item: WorkflowStatus) -> tuple[str | Text, ...]:
    run = item.last_run
    if run is None:
        return item.name, "-", "-", "-", ""
    return item.name, state(run.state), ago(run.created), took(run.seconds), run.id[:8]
