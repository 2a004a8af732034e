"""`dataflow tui`: the dashboard. Textual is imported only when it is called."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import Engine, context_of
from dataflow.errors import Action, UsageError

app = new_app()

ViewName = Literal["overview", "services", "logs", "workflows", "data", "alerts"]


@app.command()
def tui(
    ctx: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="A platform that is only played: for a first look.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")] = False,
    view: Annotated[ViewName | None, typer.Option("--view", metavar="NAME", help="Begin with this view.")] = None,
    theme: Annotated[
        Literal["dark", "light", "contrast"] | None, typer.Option("--theme", help="Default: the one of the last time.")
    ] = None,
    engine: Engine = None,
) -> None:
    """Show the dashboard: services, logs, workflows, data and alerts in one place.

    Press ? in it for the keys. What is down is shown as down; everything else goes on.

    Example:
        $ dataflow tui --demo

        $ dataflow tui --read-only --view logs
    """
    output: Output = ctx.obj
    if output.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        actions = (Action("Show the platform as text", "dataflow status"),)
        raise UsageError("The dashboard needs a terminal.", code="NO_TERMINAL", actions=actions)
    context = None if demo else context_of(output, engine=engine)
    from dataflow_tui.main import run

    run(context, read_only=read_only, view=view, theme=theme)
