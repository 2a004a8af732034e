"""`dataflow storage`: objects in the object store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.errors import ConfirmationNeeded

app = new_app("storage", "List, put, get and remove objects.")

Place = Annotated[str, typer.Argument(metavar="BUCKET/KEY", help="Where in the store.")]


@app.command()
def ls(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="BUCKET[/PREFIX]", help="Buckets where it is left out.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.")] = 1000,
) -> None:
    """List buckets, or the objects that begin with a place.

    Example:
        $ dataflow storage ls
    """
    from dataflow.cli.views.storage import show_listing
    from dataflow.operations import storage as operations

    output: Output = ctx.obj
    output.result(operations.list_objects(context_of(output), place, limit=limit), show_listing)


@app.command()
def put(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to store.")],
    place: Annotated[str, typer.Argument(metavar="BUCKET/[KEY]", help="Where; after a / the file's name is added.")],
) -> None:
    """Store a file, with its checksum. The bucket is made where there is none.

    Example:
        $ dataflow storage put daily.parquet scratch/
    """
    from dataflow.cli.views.storage import show_moved
    from dataflow.operations import storage as operations

    output: Output = ctx.obj
    output.result(operations.put(context_of(output), file, place), show_moved)


@app.command()
def get(
    ctx: typer.Context,
    place: Place,
    file: Annotated[Path, typer.Argument(help="A file, or a folder.")] = Path(),
    replace: Annotated[bool, typer.Option("--replace", help="Write over the file.")] = False,
) -> None:
    """Fetch an object, checked against its checksum.

    Example:
        $ dataflow storage get scratch/daily.parquet copy.parquet --replace
    """
    from dataflow.cli.views.storage import show_moved
    from dataflow.operations import storage as operations

    output: Output = ctx.obj
    output.result(operations.get(context_of(output), place, file, replace=replace), show_moved)


@app.command()
def rm(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="BUCKET/KEY", help="Where in the store.")],
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Everything that begins with it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove an object for good. Asks in a terminal; elsewhere it needs --yes.

    Example:
        $ dataflow storage rm scratch/daily.parquet --yes
    """
    from dataflow.cli.views.storage import show_removed
    from dataflow.operations import storage as operations

    output: Output = ctx.obj
    context = context_of(output)
    try:
        removed = operations.remove(context, place, recursive=recursive, confirmed=yes)
    except ConfirmationNeeded as error:
        if not sys.stdin.isatty() or not typer.confirm(f"{error.message} Go on?", err=True):
            raise
        removed = operations.remove(context, place, recursive=recursive, confirmed=True)
    output.result(removed, show_removed)
