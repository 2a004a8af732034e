"""`dataflow workflow init`, `validate` and `test`: start a workflow, and try it without the platform."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dataflow.cli.findings import Format, shower
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names
from dataflow.errors import UsageError


def init(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Its name; the folder and the job in Dagster get it.")] = None,
    template: Annotated[
        str | None,
        typer.Option("--template", "-t", help="What to begin with; --list shows all.", autocompletion=names.templates),
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="One sentence for lists.")] = None,
    list_: Annotated[bool, typer.Option("--list", "-l", help="Show the templates.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the files that would be made.")] = False,
) -> None:
    """Start a workflow from a template.

    It brings a sample, tests, a dbt model and a page, and runs at once. Nothing that exists is changed. In a terminal
    the name and the template are asked for where they are not given.

    Example:
        $ dataflow workflow init --list

        $ dataflow workflow init orders --template files
    """
    from dataflow.cli.views.authoring import show_scaffolded, show_templates
    from dataflow.operations import scaffold as operations

    output: Output = ctx.obj
    if list_:
        output.result(operations.list_templates(), show_templates)
        return
    context = context_of(output)
    chosen, kind = _asked(output, name, template)
    result = operations.scaffold(context, chosen, template=kind, description=description, dry_run=dry_run)
    output.result(result, show_scaffolded)


def run_tests(
    ctx: typer.Context,
    workflows: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Workflows; all where none is named.", autocompletion=names.workflows),
    ] = None,
    only: Annotated[str | None, typer.Option("--only", "-k", metavar="WORDS", help="As pytest's -k.")] = None,
) -> None:
    """Run the tests of workflows with pytest.

    They need no platform: each test gets a warehouse of its own, and an object store where the workflow wants one.
    The exit code is 8 where a test fails.

    Example:
        $ dataflow workflow test nightscout --only settings
    """
    from dataflow.cli.views.authoring import show_tests
    from dataflow.operations import workflow_tests as operations

    output: Output = ctx.obj
    found = operations.run_tests(context_of(output), workflows or (), output.report, only=only, quiet=output.quiet)
    output.result(found, show_tests)


def validate(
    ctx: typer.Context,
    workflows: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Workflows; all where none is named.", autocompletion=names.workflows),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, and look again at every change.")] = False,
    format_: Annotated[
        Format, typer.Option("--format", help="github: annotations for Actions; sarif: for code scanners.")
    ] = "text",
) -> None:
    """Say what is wrong with workflows, with file and line, without running them.

    config.yaml, imports, dbt and its refs, names, schedules, secrets, pools, and the queries, components and links of
    the pages. The exit code is 4 where something must be mended; warnings leave it at 0.

    Example:
        $ dataflow workflow validate nightscout
    """
    from dataflow.operations import validate as operations

    output: Output = ctx.obj
    output.json = output.json or format_ == "json"
    context = context_of(output)
    if watch:
        for result in operations.watch(context, workflows or ()):
            output.item(result, shower(format_, context.paths.root, f"All good: {', '.join(result.workflows)}."))
    result = operations.validate_workflows(context, workflows or ())
    output.result(result, shower(format_, context.paths.root, f"All good: {', '.join(result.workflows)}."))
    if result.errors:
        raise typer.Exit(4)


def _asked(output: Output, name: str | None, template: str | None) -> tuple[str, str]:
    """Name and template; in a terminal asked for, elsewhere the name must be given."""
    asking = name is None and not output.json and sys.stdin.isatty()
    if name is None and not asking:
        hint = "For example: dataflow workflow init orders --template files"
        raise UsageError("The new workflow needs a name.", code="NAME_MISSING", hint=hint)
    if asking and template is None:
        from dataflow.cli.views.authoring import show_templates
        from dataflow.operations.scaffold import list_templates

        show_templates(output.people, list_templates())
        template = typer.prompt("Template", default="blank", err=True)
    return name or typer.prompt("Name", err=True).strip(), template or "blank"
