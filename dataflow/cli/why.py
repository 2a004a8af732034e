"""`dataflow why`: the root cause instead of the symptom."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names

app = new_app()


@app.command()
def why(
    ctx: typer.Context,
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A service, workflow, asset or run id; 'last' is the newest run.",
            autocompletion=names.subjects,
        ),
    ] = None,
) -> None:
    """Show the root cause of what does not work.

    With the evidence, who suffers from it, and one to three commands that mend it.

    Without a name, everything that is wrong now, causes first. The exit code is 1 where something is wrong.

    Example:
        $ dataflow why

        $ dataflow why dagster-webserver
    """
    from dataflow.cli.views.why import show_why
    from dataflow.operations.why import why as operation

    output: Output = ctx.obj
    result = operation(context_of(output), subject)
    output.result(result, show_why)
    if result.problems:
        raise typer.Exit(1)
