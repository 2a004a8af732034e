"""`dataflow alerts`: what fires, and who looks after it."""

from __future__ import annotations

from typing import Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of

app = new_app("alerts", "See, acknowledge and silence alerts.")

Comment = Annotated[str, typer.Option("--comment", "-m", metavar="TEXT", help="Why; others see it.")]


@app.command(name="list")
def list_alerts(
    ctx: typer.Context,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where one fires that nobody acknowledged.")
    ] = False,
) -> None:
    """List what is wrong by the alert rules, with a command that helps.

    From Alertmanager on the docker engine. On the native engine the same rules are evaluated without it.

    Example:
        $ dataflow alerts list
    """
    from dataflow.cli.views.alerts import show_alerts
    from dataflow.operations.alerts import list_alerts as operation

    output: Output = ctx.obj
    result = operation(context_of(output))
    output.result(result, show_alerts)
    if exit_code and result.open:
        raise typer.Exit(1)


@app.command()
def ack(
    ctx: typer.Context,
    alerts: Annotated[list[str], typer.Argument(metavar="ALERT...", help="Names of alerts, or beginnings of ids.")],
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 4h, 2d.")] = "4h",
    comment: Comment = "",
) -> None:
    """Acknowledge alerts: you look after them, and nobody is told again for a time.

    An acknowledgement is a silence of exactly these alerts, with your name. After its time, what still fires is told.

    Example:
        $ dataflow alerts ack JobFailed --for 2h --comment "source is down"
    """
    from dataflow.cli.views.alerts import show_made
    from dataflow.operations.silences import acknowledge as operation

    output: Output = ctx.obj
    output.result(operation(context_of(output), alerts, length=length, comment=comment), show_made)


@app.command()
def silence(
    ctx: typer.Context,
    matchers: Annotated[
        list[str] | None,
        typer.Argument(metavar="MATCHER", help="A rule's name, or LABEL=VALUE, !=, =~REGEX, !~REGEX; all must match."),
    ] = None,
    length: Annotated[str, typer.Option("--for", metavar="TIME", help="For how long: 30m, 4h, 2d.")] = "2h",
    comment: Comment = "",
    show: Annotated[bool, typer.Option("--list", help="List the silences.")] = False,
    end: Annotated[str | None, typer.Option("--expire", metavar="ID", help="End this silence now.")] = None,
) -> None:
    """Silence alerts, also those that are still to come; list silences, or end one.

    Example:
        $ dataflow alerts silence JobSlow workflow=nightscout --for 1d

        $ dataflow alerts silence --list
    """
    from dataflow.cli.views.alerts import show_ended, show_made, show_silences
    from dataflow.operations import silences as operations

    output: Output = ctx.obj
    context = context_of(output)
    if end:
        output.result(operations.expire(context, end), show_ended)
    elif show:
        output.result(operations.list_silences(context), show_silences)
    else:
        output.result(operations.silence(context, matchers or (), length=length, comment=comment), show_made)
