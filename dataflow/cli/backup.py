"""`dataflow backup`: the whole platform as one unit, out and in."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import Yes, context_of
from dataflow.config import names

app = new_app("backup", "Back up and restore everything as one unit.")

Name = Annotated[
    str,
    typer.Argument(metavar="BACKUP", help="Id, its beginning, `last`, or a folder.", autocompletion=names.backups),
]


@app.command()
def create(
    ctx: typer.Context,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="Seconds that runs may take to end.")
    ] = 60.0,
    secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also .env, encrypted with DATAFLOW_BACKUP_PASSPHRASE.")
    ] = False,
) -> None:
    """Back up warehouse, objects, run history, databases, configuration and pins.

    Waits for runs to end; those that are asked for meanwhile begin afterwards. Without --with-secrets no credential
    is in it.

    Example:
        $ dataflow backup create
    """
    from dataflow.cli.views.backup import show_created
    from dataflow.operations.backup import BackupOptions
    from dataflow.operations.backup import create as operation

    output: Output = ctx.obj
    options = BackupOptions(wait=wait, secrets=secrets)
    output.result(operation(context_of(output), options, output.report), show_created)


@app.command(name="list")
def list_backups(ctx: typer.Context) -> None:
    """List the backups, the newest first.

    Example:
        $ dataflow backup list
    """
    from dataflow.cli.views.backup import show_list
    from dataflow.operations.backup import list_backups as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output)), show_list)


@app.command()
def verify(ctx: typer.Context, backup: Name = "last") -> None:
    """Read every file of a backup again and compare it with what was written.

    Example:
        $ dataflow backup verify last
    """
    from dataflow.cli.views.backup import show_verified
    from dataflow.operations.restore import verify as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), backup, output.report), show_verified)


@app.command()
def restore(
    ctx: typer.Context,
    backup: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be replaced.")] = False,
    yes: Yes = False,
    snapshot: Annotated[bool, typer.Option("--snapshot/--no-snapshot", help="Back up what is there first.")] = True,
    secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also variables that .env lacks, with DATAFLOW_BACKUP_PASSPHRASE.")
    ] = False,
) -> None:
    """Bring the platform back to a backup, whichever engine made it.

    The new state is built aside, compared with the backup, and only then takes the place of the old one: cut off at
    any moment, one of the two is there whole.

    Example:
        $ dataflow backup restore last --dry-run

        $ dataflow backup restore last --yes
    """
    from dataflow.cli.views.backup import show_restored
    from dataflow.operations.restore import RestoreOptions
    from dataflow.operations.restore import restore as operation

    output: Output = ctx.obj
    context = context_of(output)
    confirmed = dry_run or yes or output.confirm(f"This replaces the data of {context.name} by that of {backup}.")
    options = RestoreOptions(backup, dry_run, confirmed, snapshot, secrets)
    output.result(operation(context, options, output.report), show_restored)
