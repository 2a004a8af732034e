"""`dataflow config`: show and check the configuration."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dataflow.cli.findings import Format, shower
from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of

app = new_app("config", "Show and check the configuration.")


@app.command()
def show(
    ctx: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Also where each value came from.")] = False,
) -> None:
    """Show every setting as it is in force.

    Example:
        $ dataflow config show --origin
    """
    from dataflow.cli.views.config import shower as with_origins
    from dataflow.operations import configuration

    output: Output = ctx.obj
    output.result(configuration.show(context_of(output)), with_origins(origin=origin))


@app.command()
def validate(
    ctx: typer.Context,
    format_: Annotated[
        Format, typer.Option("--format", help="github: annotations for Actions; sarif: for code scanners.")
    ] = "text",
) -> None:
    """Check dataflow.toml, .env, services and workflows; exit with 4 where something is wrong.

    Example:
        $ dataflow config validate
    """
    from dataflow.operations import configuration

    output: Output = ctx.obj
    output.json = output.json or format_ == "json"
    context = context_of(output)
    result = configuration.check(context)
    output.result(result, shower(format_, context.paths.root, f"All good: {', '.join(result.files)}."))
    if result.findings:
        raise typer.Exit(4)


@app.command()
def schema(ctx: typer.Context) -> None:
    """Print the JSON Schema of dataflow.toml, for editors.

    Example:
        $ dataflow config schema
    """
    from dataflow.operations import configuration

    output: Output = ctx.obj
    described = configuration.schema()
    if output.json:
        output.result(described, lambda _console, _data: None)
    else:
        sys.stdout.write(json.dumps(described, indent=2) + "\n")
