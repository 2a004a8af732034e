"""`dataflow tui`: the dashboard. Textual is imported only when it is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import Engine
from dataflow.errors import Action, UsageError

if TYPE_CHECKING:
    from dataflow.config.paths import ProjectPaths

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
    paths = None if demo else _project(output.project_dir)
    from dataflow_tui.main import run

    run(paths, {"engine": engine} if engine else {}, read_only=read_only, view=view, theme=theme)


def _project(folder: Path | None) -> ProjectPaths:
    """The project, without the operations: the screen is to be there before they are imported."""
    from dataflow.config.paths import find_project

    return find_project(folder or Path(os.environ.get("DATAFLOW_PROJECT_DIR") or Path.cwd()))
