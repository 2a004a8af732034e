"""`dataflow engine`: what runs the services."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of

app = new_app("engine", "Show what runs the services, and move to the other engine.")


@app.command()
def show(ctx: typer.Context) -> None:
    """Show which engine runs the services and why, and what Docker is like here.

    Example:
        $ dataflow engine show
    """
    from dataflow.cli.views.engine import show_engine
    from dataflow.operations.engines import show as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output)), show_engine)


@app.command()
def switch(
    ctx: typer.Context,
    engine: Annotated[Literal["native", "docker"], typer.Argument(help="native or docker.")],
) -> None:
    """Carry objects, run history and databases to the other engine, compared by count and checksum.

    A backup is made first, and everything stays where it was if anything is missing. The warehouse is the same file on
    both engines.

    Example:
        $ dataflow engine switch docker
    """
    from dataflow.cli.views.engine import show_switch
    from dataflow.operations.engines import switch as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), engine, output.report), show_switch)
