"""`dataflow support`: a file for whoever helps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of

app = new_app()


@app.command()
def support(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="Where to write it. Default: here.")] = None,
) -> None:
    """Write what helps others to help into one file, without a secret.

    Versions, settings with their origins, status, plan, doctor's findings, the last lines of every log, the last runs
    and the audit log. It works when the platform is down, Docker is not there or the settings are invalid.

    Example:
        $ dataflow support
    """
    from dataflow.cli.views.doctor import show_bundle
    from dataflow.operations.support import support as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), folder or Path.cwd(), output.report), show_bundle)
