"""`dataflow ci`: everything that decides whether a change is good, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.ci import CiResult

app = new_app()


@app.command()
def ci(
    ctx: typer.Context,
    workflows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKFLOW]...", help="All, if none is named.", autocompletion=names.workflows),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="WAREHOUSE", help="Compare the data with it: live, a branch, backup or file."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="A difference to --base is a failure.")] = False,
    output_folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="For the reports, else .dataflow/ci.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=1, help="For the platform to be up.")
    ] = None,
) -> None:
    """Check, test and run everything on a copy, as CI does.

    Configuration, validation, tests of workflows, a native platform of its own, a run of each workflow, and a
    comparison of the data; then the platform goes. Nothing of this project is touched. The folder of reports gets
    summary.md, junit.xml and, after a failure, a bundle for support. Ends with 8 where a step failed.

    Example:
        $ dataflow ci nightscout

        $ dataflow ci nightscout --base live
    """
    from dataflow.operations.ci import CiOptions, raise_unless_good, run_ci
    from dataflow.operations.ci_reports import write_reports

    output: Output = ctx.obj
    context = context_of(output)
    folder = (output_folder or context.paths.state / "ci").absolute()
    options = CiOptions(tuple(workflows or ()), base, exact, timeout)
    result = run_ci(context, options, folder, output.report)
    summary, _ = write_reports(result, folder)
    raise_unless_good(result, summary)
    output.result(result, _show)


def _show(console: Console, result: CiResult) -> None:
    from dataflow.cli.tables import count, took

    console.print(f"{result.project}: {count(len(result.steps), 'step')} passed in {took(result.seconds)}.")
    if result.diff and result.diff.differs:
        for one in result.diff.tables:
            words = f"{one.added} rows added, {one.removed} removed, {one.changed} changed"
            console.print(f"  {one.table} {one.change}: {words}", soft_wrap=True)
