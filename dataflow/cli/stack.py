"""Plain verbs: they act on the whole platform or on its services."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.config import names

app = new_app()

Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="SERVICE", help="Services; `dataflow status` lists them.", autocompletion=names.services),
]
Engine = Annotated[str | None, typer.Option("--engine", help="auto, native or docker.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Seconds until healthy. Default: 120.")
]


def context_of(output: Output, **flags: Any) -> Any:
    """The operations' context for this command line; flags that were not given do not count."""
    from dataflow.operations.context import Context

    return Context.at(
        output.project_dir, {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    )


@app.command()
def up(
    ctx: typer.Context,
    services: Services = None,
    engine: Engine = None,
    timeout: Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be done, and why.")] = False,
) -> None:
    """Bring the platform up and wait until it is healthy.

    What runs as it should is left alone. A port that is taken is replaced by the next free one, and remembered.

    Example:
        $ dataflow up --dry-run

        $ dataflow up --timeout 300
    """
    from dataflow.cli.views.stack import show_up
    from dataflow.operations.up import UpOptions
    from dataflow.operations.up import up as operation

    output: Output = ctx.obj
    options = UpOptions(tuple(services or ()), timeout, dry_run)
    output.result(operation(context_of(output, engine=engine), options, output.report), show_up)


@app.command()
def down(ctx: typer.Context) -> None:
    """Take the platform down; data, history and logs are kept.

    Running workflows are cancelled first. Nothing that we started is left behind.

    Example:
        $ dataflow down
    """
    from dataflow.cli.views.stack import show_down
    from dataflow.operations.down import down as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), output.report), show_down)


@app.command()
def start(ctx: typer.Context, services: Services = None, timeout: Timeout = None) -> None:
    """Start services and what they depend on; all wanted ones where none is named.

    Example:
        $ dataflow start object-store
    """
    from dataflow.cli.views.stack import show_services
    from dataflow.operations.lifecycle import start as operation

    output: Output = ctx.obj
    result = operation(context_of(output), tuple(services or ()), output.report, timeout=timeout)
    output.result(result, show_services)


@app.command()
def stop(ctx: typer.Context, services: Services = None) -> None:
    """Stop services; all where none is named. The others go on.

    Example:
        $ dataflow stop dagster-daemon
    """
    from dataflow.cli.views.stack import show_services
    from dataflow.operations.lifecycle import stop as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), tuple(services or ()), output.report), show_services)


@app.command()
def restart(
    ctx: typer.Context,
    services: Services = None,
    timeout: Timeout = None,
    with_dependants: Annotated[bool, typer.Option("--with-dependants", help="Also those that depend on them.")] = False,
) -> None:
    """Restart services; all that are up where none is named.

    Example:
        $ dataflow restart dagster-webserver
    """
    from dataflow.cli.views.stack import show_services
    from dataflow.operations.lifecycle import restart as operation

    output: Output = ctx.obj
    chosen = tuple(services or ())
    result = operation(context_of(output), chosen, output.report, with_dependants=with_dependants, timeout=timeout)
    output.result(result, show_services)


@app.command()
def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.2, help="Seconds between two looks.")
    ] = 2.0,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 6 unless everything is healthy.")] = False,
) -> None:
    """Show services, workflows and data at a glance.

    With --watch and --json, one JSON line per look.

    Example:
        $ dataflow status

        $ dataflow status --json
    """
    from dataflow.cli.views.status import show_status, watch_status
    from dataflow.operations import status as operations

    output: Output = ctx.obj
    if watch:
        watch_status(output, operations.watch(context_of(output), interval=interval))
        return
    result = operations.status(context_of(output))
    output.result(result, show_status)
    if exit_code and result.state != "up":
        raise typer.Exit(6)


@app.command()
def logs(
    ctx: typer.Context,
    services: Services = None,
    tail: Annotated[int, typer.Option("--tail", "-n", metavar="N", min=0, help="The last lines of each service.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
) -> None:
    """Show the logs of services; of all where none is named.

    Example:
        $ dataflow logs object-store --tail 5
    """
    from dataflow.cli.views.stack import show_line, show_lines
    from dataflow.operations import logs as operations

    output: Output = ctx.obj
    chosen = tuple(services or ())
    if follow:
        for line in operations.follow(context_of(output), chosen, lines=tail):
            output.item(line, show_line)
        return
    output.result(operations.tail(context_of(output), chosen, lines=tail), show_lines)


@app.command(name="open")
def open_page(
    ctx: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="A service that has a page.", autocompletion=names.services)
    ] = None,
    print_only: Annotated[bool, typer.Option("--print", help="Only print the URL.")] = False,
) -> None:
    """Open a service's page in the browser; Dagster's where none is named.

    Example:
        $ dataflow open dagster-webserver --print
    """
    from dataflow.cli.views.stack import show_page
    from dataflow.operations.visit import page_of

    output: Output = ctx.obj
    page = page_of(context_of(output), service)
    if not print_only and not output.json:
        typer.launch(page.url)
    output.result(page, show_page)


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(
    ctx: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND [ARG]...", help="The program and what it gets.")],
) -> None:
    """Run a command in the environment of the project's code.

    It sees DATAFLOW_WAREHOUSE_PATH, the object store's address and keys, and DAGSTER_HOME.

    Example:
        $ dataflow exec -- printenv DATAFLOW_S3_ENDPOINT
    """
    from dataflow.operations.visit import execute as operation

    output: Output = ctx.obj
    raise typer.Exit(operation(context_of(output), tuple(command)))
