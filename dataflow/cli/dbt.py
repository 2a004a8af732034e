"""`dataflow dbt`: build, test and document the models of workflows, without a run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names

app = new_app("dbt", "Build, test and document the dbt models of workflows.")

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WORKFLOW]...", help="All, if none is named.", autocompletion=names.workflows),
]
Name = Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow.", autocompletion=names.workflows)]
Select = Annotated[
    list[str] | None, typer.Option("--select", "-s", metavar="NODES", help="Only these, in dbt's syntax: orders+ …")
]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="NODES", help="Not these.")]
Changed = Annotated[
    bool, typer.Option("--changed", help="Only what differs from the last good build, and what is made of it.")
]
FailFast = Annotated[bool, typer.Option("--fail-fast", "-x", help="Stop at the first failure.")]


@app.command()
def build(
    ctx: typer.Context,
    workflows: Names = None,
    select: Select = None,
    exclude: Exclude = None,
    changed: Changed = False,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Make incremental models anew.")] = False,
    fail_fast: FailFast = False,
) -> None:
    """Build models and test them, in order.

    Exit codes: 8 where only tests failed, 1 where a model could not be built, 4 where the project is not right. A
    failed test shows some of the rows that it found.

    Example:
        $ dataflow dbt build nightscout

        $ dataflow dbt build --changed
    """
    words = (*(["--full-refresh"] if full_refresh else []), *(["--fail-fast"] if fail_fast else []))
    _run(ctx, "build", workflows, select, exclude, words, changed=changed)


@app.command("test")
def run_tests(
    ctx: typer.Context,
    workflows: Names = None,
    select: Select = None,
    exclude: Exclude = None,
    changed: Changed = False,
    fail_fast: FailFast = False,
) -> None:
    """Test models as they are in the warehouse.

    Example:
        $ dataflow dbt test nightscout --select nightscout_daily
    """
    _run(ctx, "test", workflows, select, exclude, ("--fail-fast",) if fail_fast else (), changed=changed)


@app.command()
def docs(
    ctx: typer.Context,
    workflow: Name,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the documentation of a workflow's models as one page.

    Example:
        $ dataflow dbt docs nightscout
    """
    from dataflow.cli.views.dbt import show_docs
    from dataflow.operations import dbt as operations

    output: Output = ctx.obj
    made = operations.docs(context_of(output), workflow, output.report)
    output.result(made, show_docs)
    if open_:
        typer.launch(made.page.as_uri())


@app.command("run-operation")
def run_operation(
    ctx: typer.Context,
    workflow: Name,
    macro: Annotated[str, typer.Argument(help="The macro.")],
    args: Annotated[str | None, typer.Option("--args", metavar="YAML", help="Its arguments, as YAML or JSON.")] = None,
) -> None:
    """Run a macro of a workflow's dbt project.

    Example:
        $ dataflow dbt run-operation nightscout to_local --args 'column: day'
    """
    from dataflow.cli.views.dbt import show_macro
    from dataflow.operations import dbt as operations

    output: Output = ctx.obj
    output.result(operations.run_macro(context_of(output), workflow, macro, args or "{}", output.report), show_macro)


def _run(
    ctx: typer.Context,
    command: Literal["build", "test"],
    workflows: list[str] | None,
    select: list[str] | None,
    exclude: list[str] | None,
    words: tuple[str, ...],
    *,
    changed: bool,
) -> None:
    from dataflow.cli.views.dbt import show_failures, show_result
    from dataflow.errors import DataflowError
    from dataflow.operations.dbt import DbtOptions, DbtResult, run

    output: Output = ctx.obj
    chosen = tuple(workflows or ()), tuple(select or ()), tuple(exclude or ())
    try:
        result = run(context_of(output), DbtOptions(command, *chosen, changed, words), output.report)
    except DataflowError as error:
        if isinstance(error.data, DbtResult) and not output.json:
            output.progress.close()
            show_failures(output.people, error.data)
        raise
    output.result(result, show_result)
