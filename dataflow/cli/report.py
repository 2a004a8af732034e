"""`dataflow data report`: the pages of a workflow as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names


def report(
    ctx: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="NAME", help="The workflow.", autocompletion=names.workflows)],
    file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Default: .dataflow/reports/NAME.html, written over."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over the --output file.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Render the pages of a workflow as one HTML file with charts.

    It asks the published snapshot, so runs go on. The file needs no network, no Node and no script: it can be sent by
    mail. What cannot be shown stands there as a note, and the exit code is then 1.

    Example:
        $ dataflow data report nightscout

        $ dataflow data report nightscout --output glucose.html --replace
    """
    from dataflow.cli.views.report import show_rendered
    from dataflow.operations.report import render

    output: Output = ctx.obj
    result = render(context_of(output), workflow, output=file, replace=replace)
    if open_:
        typer.launch(result.path.as_uri())
    output.result(result, show_rendered)
