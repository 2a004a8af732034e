"""`dataflow data diff` and `data branch`: two warehouses side by side, and copies of the warehouse to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from dataflow.cli.exit_codes import ExitCode
from dataflow.cli.output import Output
from dataflow.cli.stack import Yes, context_of
from dataflow.config import names
from dataflow.errors import UsageError

BranchAction = Literal["list", "create", "drop", "path"]
_WAREHOUSE = "live, snapshot, a branch, a backup or a file."


def diff(
    ctx: typer.Context,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=_WAREHOUSE, autocompletion=names.warehouses)],
    after: Annotated[str, typer.Argument(metavar="AFTER", help=_WAREHOUSE, autocompletion=names.warehouses)] = "live",
    tables: Annotated[
        list[str] | None, typer.Option("--table", "-t", metavar="TABLE", help="Only this one, SCHEMA.TABLE.")
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMN", help="A column that identifies a row, in tables that have it."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=0, help="Rows to show of each kind and table.")
    ] = 5,
) -> None:
    """Compare two warehouses: tables, columns and rows. The exit code is 8 where they differ.

    Runs go on: what is written to is read from its published snapshot. Without --key the declared key of a table tells
    which rows belong together, or the first columns that are unique; where none are, rows are only added or removed.

    Example:
        $ dataflow data diff snapshot live

        $ dataflow data diff snapshot --table marts.nightscout_daily --key day
    """
    from dataflow.cli.views.diff import show_diff
    from dataflow.operations.diff import DiffOptions
    from dataflow.operations.diff import diff as operation

    output: Output = ctx.obj
    options = DiffOptions(tuple(tables or ()), tuple(key or ()), limit)
    result = operation(context_of(output), before, after, options, output.report)
    output.result(result, show_diff)
    if result.differs:
        raise typer.Exit(ExitCode.CHECKS_FAILED)


def branch(
    ctx: typer.Context,
    action: Annotated[BranchAction, typer.Argument(help="What to do; all but list need a name.")] = "list",
    name: Annotated[str | None, typer.Argument(help="The branch.", autocompletion=names.branches)] = None,
    base: Annotated[
        str, typer.Option("--from", metavar="WAREHOUSE", help=f"{_WAREHOUSE}", autocompletion=names.warehouses)
    ] = "live",
    worktree: Annotated[
        Path | None, typer.Option("--worktree", metavar="DIR", help="Make it the warehouse of this git worktree.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Give a git branch or worktree its own copy of the warehouse.

    A copy shares its blocks with the base where the file system can. It is consistent also while a run writes: then the
    published snapshot is copied. `path` prints where a branch lies.

    Example:
        $ dataflow data branch create experiment

        $ dataflow data branch

        $ dataflow data branch path experiment

        $ dataflow data branch drop experiment --yes
    """
    from dataflow.cli.views.branch import show_branches, show_created, show_dropped, show_path
    from dataflow.operations import branch as operations

    output: Output = ctx.obj
    context = context_of(output)
    if action == "list":
        output.result(operations.list_branches(context), show_branches)
        return
    if name is None:
        raise UsageError(f"Which branch? dataflow data branch {action} NAME", code="NAME_MISSING")
    if action == "create":
        output.result(operations.create(context, name, base=base, worktree=worktree), show_created)
    elif action == "path":
        output.result(operations.require_branch(context, name), show_path)
    else:
        path = operations.require_branch(context, name).path
        confirmed = yes or output.confirm(f"This removes {path} and everything that was written to it.")
        output.result(operations.drop(context, name, confirmed=confirmed), show_dropped)
