"""`dataflow upgrade`: newer images, with a way back."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import Timeout, context_of

app = new_app()


@app.command()
def upgrade(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    snapshot: Annotated[bool, typer.Option("--snapshot/--no-snapshot", help="Back everything up first.")] = True,
    timeout: Timeout = None,
) -> None:
    """Fetch newer images, and return to the old ones if they fail.

    Everything is backed up first. What does not become healthy in time is replaced by what ran before.

    Example:
        $ dataflow upgrade --dry-run
    """
    from dataflow.cli.views.engine import show_upgrade
    from dataflow.operations.upgrade import UpgradeOptions
    from dataflow.operations.upgrade import upgrade as operation

    output: Output = ctx.obj
    options = UpgradeOptions(dry_run, snapshot, timeout)
    output.result(operation(context_of(output), options, output.report), show_upgrade)
