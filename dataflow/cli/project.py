"""Plain verbs about the project and the toolkit itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output

app = new_app()


@app.command()
def init(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The project's folder; made where there is none.")],
    name: Annotated[str | None, typer.Option("--name", help="Default: the folder's name.")] = None,
    example: Annotated[bool, typer.Option("--example/--no-example", help="With the nightscout workflow.")] = True,
) -> None:
    """Make a project that works at once. Nothing that is there is overwritten.

    Example:
        $ dataflow init my-platform
    """
    from dataflow.cli.views.project import show_init
    from dataflow.operations.init import init as operation

    output: Output = ctx.obj
    base = output.project_dir or Path.cwd()
    output.result(operation(base / folder, output.report, name=name, example=example), show_init)


@app.command()
def schema(
    ctx: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="COMMAND", help="For example: workflow runs.")] = None,
) -> None:
    """Print the JSON Schema of a command's result; without a command, the names there are.

    'envelope' is the schema of what stands around the data, 'event' of the lines before it.

    Example:
        $ dataflow schema status
    """
    from dataflow.cli.schemas import names, schema_of

    output: Output = ctx.obj
    described = schema_of(" ".join(command)) if command else names()
    if output.json:
        output.result(described, lambda _console, _data: None)
    else:
        sys.stdout.write(json.dumps(described, indent=2) + "\n")


@app.command()
def completion(
    ctx: typer.Context, shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="bash, zsh or fish.")]
) -> None:
    """Print the completion script of a shell.

    Example:
        $ dataflow completion bash
    """
    from typer.completion import get_completion_script  # pyright: ignore[reportPrivateImportUsage]

    script = get_completion_script(prog_name="dataflow", complete_var="_DATAFLOW_COMPLETE", shell=shell)
    output: Output = ctx.obj
    output.result(script, lambda _console, text: print(text))  # noqa: T201 - a script must not be wrapped
