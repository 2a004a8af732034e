"""`dataflow workflow backfill`: run a workflow for many of its partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names
from dataflow.errors import UsageError

if TYPE_CHECKING:
    from dataflow.operations.backfill import Backfill
    from dataflow.operations.backfill_plans import BackfillPlan
    from dataflow.operations.context import Context


def backfill(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The workflow.", autocompletion=names.workflows)] = None,
    partitions: Annotated[
        list[str] | None,
        typer.Option("--partitions", "-p", metavar="RANGE", help="A:B with both ends, A:, a key, 'last' or 'all'."),
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="Only those that never succeeded.")] = False,
    max_parallel: Annotated[
        int, typer.Option("--max-parallel", metavar="N", min=1, help="So many runs at a time; Dagster allows ten.")
    ] = 4,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter.")] = None,
    asset: Annotated[list[str] | None, typer.Option("--asset", metavar="SELECTION", help="Only these assets.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag the runs.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Go on with an earlier one: its id, or 'last'.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", "-l", help="Show the newest backfills.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would run.")] = False,
) -> None:
    """Run a workflow for many of its partitions, a few at a time.

    It ends when all have: 0 all succeeded, 7 some failed. Cut off, it is taken up again with --resume, which runs what
    has not succeeded; runs that were started go on by themselves meanwhile.

    Example:
        $ dataflow workflow backfill sales -p 2026-01-01:2026-01-03 --dry-run

        $ dataflow workflow backfill sales -p 2026-01-01:2026-01-03

        $ dataflow workflow backfill sales -p all --missing --max-parallel 2

        $ dataflow workflow backfill --resume last
    """
    from dataflow.cli.views.backfill import show_backfill, show_list, show_plan
    from dataflow.operations import backfill as operations
    from dataflow.operations import backfill_plans

    output: Output = ctx.obj
    context = context_of(output)
    if list_:
        output.result(operations.newest(context), show_list)
        return
    if resume:
        plan = backfill_plans.find(context.paths, resume)
    elif name and partitions:
        given = (tuple(partitions), tuple(set_ or ()), tuple(asset or ()), tuple(tag or ()), missing, max_parallel)
        plan = operations.plan(context, operations.BackfillOptions(name, *given))
    else:
        raise UsageError("Which workflow, and which partitions? dataflow workflow backfill NAME --partitions A:B")
    if dry_run:
        output.result(plan, show_plan)
        return
    output.result(_carry_out(context, plan, output), show_backfill)


def _carry_out(context: Context, plan: BackfillPlan, output: Output) -> Backfill:
    from dataflow.operations.backfill import carry_out

    try:
        return carry_out(context, plan, output.report)
    except KeyboardInterrupt:
        output.progress.close()
        words = "No more runs are started; those that were started go on. The rest:"
        output.people.print(f"{words} dataflow workflow backfill --resume {plan.id}", soft_wrap=True)
        raise typer.Exit(130) from None
