"""Plain verbs: they act on the whole platform or on its services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.config import names

if TYPE_CHECKING:
    from dataflow.operations.context import Context

app = new_app()

Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="SERVICE", help="Services; `dataflow status` lists them.", autocompletion=names.services),
]
Engine = Annotated[str | None, typer.Option("--engine", help="auto, native or docker.")]
Dependants = Annotated[bool, typer.Option("--with-dependants", help="Also those that depend on them.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
StaleVolume = Literal["alter", "migrate", "recreate"]
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
    profile: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help="Also this group of services, until `down`, or `all`."),
    ] = None,
    timeout: Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be done, and why.")] = False,
    attach: Annotated[
        bool, typer.Option("--attach", help="Stay and show the logs; Ctrl-C stops the services.")
    ] = False,
    pull: Annotated[bool, typer.Option("--pull", help="Fetch newer images first.")] = False,
    build: Annotated[bool, typer.Option("--build", help="Build our own images anew.")] = False,
    baked: Annotated[bool, typer.Option("--baked", help="With the workflows inside the image.")] = False,
    stale_volume: Annotated[
        StaleVolume | None,
        typer.Option("--stale-volume", help="What to do with a volume of another password or version."),
    ] = None,
) -> None:
    """Bring the platform up and wait until it is healthy.

    What runs as it should is left alone. A port that is taken is replaced by the next free one, and remembered.

    Example:
        $ dataflow up --dry-run

        $ dataflow up --engine docker --profile observability

        $ dataflow up --timeout 300
    """
    from dataflow.cli.views.stack import show_up
    from dataflow.operations.up import UpOptions
    from dataflow.operations.up import up as operation

    output: Output = ctx.obj
    context = context_of(output, engine=engine, code="baked" if baked else None)
    options = UpOptions(
        services=tuple(services or ()),
        profiles=tuple(profile or ()),
        timeout=timeout,
        dry_run=dry_run,
        build=build,
        pull=pull,
        stale_volume=stale_volume,
    )
    output.result(operation(context, options, output.report), show_up)
    if attach and not dry_run:
        _attach(context, options.services, output)


def _attach(context: Context, services: tuple[str, ...], output: Output) -> None:
    """The logs until Ctrl-C, which stops what was brought up; another Ctrl-C leaves at once."""
    from dataflow.cli.views.logs import show_line
    from dataflow.operations.lifecycle import stop as operation
    from dataflow.operations.log_follow import follow
    from dataflow.operations.logs import LogQuery

    try:
        for line in follow(context, LogQuery(services, tail=0)):
            output.item(line, show_line)
    except KeyboardInterrupt:
        operation(context, services, output.report)


@app.command()
def down(
    ctx: typer.Context,
    engine: Engine = None,
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Also remove objects, run history, logs and metrics.")
    ] = False,
    yes: Yes = False,
    snapshot: Annotated[
        bool, typer.Option("--snapshot/--no-snapshot", help="Back everything up before data goes.")
    ] = True,
) -> None:
    """Take the platform down; data, history and logs are kept.

    Running workflows are cancelled first. Nothing that we started is left behind. The warehouse file always stays.

    Example:
        $ dataflow down
    """
    from dataflow.cli.views.stack import show_down
    from dataflow.operations.down import DownOptions
    from dataflow.operations.down import down as operation

    output: Output = ctx.obj
    context = context_of(output, engine=engine)
    confirmed = yes or not volumes or output.confirm(f"This removes the objects and the run history of {context.name}.")
    options = DownOptions(volumes=volumes, confirmed=confirmed, snapshot=snapshot)
    output.result(operation(context, options, output.report), show_down)


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
def stop(ctx: typer.Context, services: Services = None, with_dependants: Dependants = False) -> None:
    """Stop services; all where none is named. The others go on.

    Example:
        $ dataflow stop dagster-daemon
    """
    from dataflow.cli.views.stack import show_services
    from dataflow.operations.lifecycle import stop as operation

    output: Output = ctx.obj
    chosen = tuple(services or ())
    result = operation(context_of(output), chosen, output.report, with_dependants=with_dependants)
    output.result(result, show_services)


@app.command()
def restart(
    ctx: typer.Context,
    services: Services = None,
    timeout: Timeout = None,
    with_dependants: Dependants = False,
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
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with what is worst; 0 where nothing is wrong.")
    ] = False,
) -> None:
    """Show services, workflows and data at a glance.

    Also stale assets, failing checks, disk, backups and alerts; a part that cannot be read says so.

    --exit-code: 6 a service is not healthy, 7 the last run of a workflow failed, 8 a check fails or an asset is stale,
    1 a part cannot be read, an alert fires or the disk is nearly full. With --watch and --json, one JSON line per look.

    Example:
        $ dataflow status

        $ dataflow status --json
    """
    from dataflow.cli.exit_codes import status_code
    from dataflow.cli.views import watch as views
    from dataflow.cli.views.status import show_status
    from dataflow.operations import status as operations

    output: Output = ctx.obj
    if watch:
        views.watch(output, operations.watch(context_of(output), interval=interval), show_status)
        return
    result = operations.status(context_of(output))
    output.result(result, show_status)
    if exit_code:
        raise typer.Exit(status_code(result.worst))


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
    service: Annotated[
        str | None,
        typer.Option("--service", "-s", metavar="NAME", help="In this container.", autocompletion=names.services),
    ] = None,
) -> None:
    """Run a command in the environment of the project's code.

    It sees DATAFLOW_WAREHOUSE_PATH, the object store's address and keys, and DAGSTER_HOME. Under Docker it runs in the
    code server's container, or in that of another service.

    Example:
        $ dataflow exec -- printenv DATAFLOW_S3_ENDPOINT
    """
    from dataflow.operations.visit import execute as operation

    output: Output = ctx.obj
    raise typer.Exit(operation(context_of(output), tuple(command), service=service))
