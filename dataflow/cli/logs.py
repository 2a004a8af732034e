"""`dataflow logs`: the one log surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import Services, context_of
from dataflow.config import names

if TYPE_CHECKING:
    from dataflow.operations.logs import LogQuery

app = new_app()

Run = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="Only this run's lines.", autocompletion=names.runs)
]
Workflow = Annotated[
    str | None,
    typer.Option("--workflow", "-w", metavar="NAME", help="Only this workflow's.", autocompletion=names.workflows),
]


@app.command()
def logs(
    ctx: typer.Context,
    services: Services = None,
    grep: Annotated[
        list[str] | None, typer.Option("--grep", "-g", metavar="RE", help="Only lines that match; any of several.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", "-x", metavar="RE", help="Without lines that match.")
    ] = None,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", "-i", help="Upper and lower case are equal.")] = False,
    level: Annotated[str | None, typer.Option("--level", "-l", help="This level and above: warn, error…")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on: 10m, 2h, 14:30…")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before then.")] = None,
    around: Annotated[str | None, typer.Option("--around", metavar="TIME", help="A minute before and after.")] = None,
    workflow: Workflow = None,
    run: Run = None,
    step: Annotated[str | None, typer.Option("--step", metavar="NAME", help="Only this step's lines.")] = None,
    tail: Annotated[
        int | None,
        typer.Option("--tail", "-n", metavar="N", min=0, help="The last N of each service; 0 for all."),
    ] = None,
    context: Annotated[int, typer.Option("--context", "-C", metavar="N", min=0, help="N lines around each hit.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only how many lines there are.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="How many over time, by service and level.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Lines as they were written.")] = False,
    query: Annotated[str | None, typer.Option("--query", metavar="LOGQL", help="Ask Loki itself.")] = None,
) -> None:
    """Show, search and follow the logs of services and runs, in the order of time.

    Without an option these are the last 20 lines of each. What runs of workflows write is called `worker`. Debug lines
    are left out, unless --level debug, --verbose or --json.

    Example:
        $ dataflow logs object-store --tail 5

        $ dataflow logs --level warn --since 1h

        $ dataflow logs --grep 'time(d )?out' --ignore-case --context 2

        $ dataflow logs --workflow nightscout --stats
    """
    from dataflow.operations.log_filter import asked

    output: Output = ctx.obj
    wanted = asked(
        grep=grep, exclude=exclude, ignore_case=ignore_case, level=level or _level(output),
        since=since, until=until, around=around, workflow=workflow, run=run, step=step,
    )  # fmt: skip
    if query:
        _ask_loki(output, query, wanted, tail, raw=raw)
        return
    from dataflow.operations.logs import LogQuery

    question = LogQuery(tuple(services or ()), wanted, tail, context)
    _answer(output, question, follow=follow, count=count, stats=stats, raw=raw)


def _level(output: Output) -> str | None:
    return None if output.verbose or output.json else "info"


def _answer(output: Output, question: LogQuery, *, follow: bool, count: bool, stats: bool, raw: bool) -> None:
    from dataflow.cli.views import logs as views
    from dataflow.operations import log_follow
    from dataflow.operations import logs as operations

    context = context_of(output)
    show = views.show_raw if raw else views.show_line
    if count:
        output.result(operations.count(context, question), views.show_counts)
    elif stats:
        output.result(operations.stats(context, question), views.show_stats)
    elif follow:
        for line in log_follow.follow(context, question):
            output.item(line, show)
    elif output.json:
        output.result(operations.Lines(tuple(operations.read(context, question))), views.show_lines)
    else:
        views.show_all(output.console, operations.read(context, question), show)


def _ask_loki(output: Output, query: str, wanted: object, tail: int | None, *, raw: bool) -> None:
    from dataflow.cli.views import logs as views
    from dataflow.operations.log_query import LogSeries, ask

    found = ask(context_of(output), query, wanted, tail)  # pyright: ignore[reportArgumentType]
    if isinstance(found, LogSeries):
        output.result(found, views.show_series)
    else:
        output.result(found, views.show_raw_lines if raw else views.show_lines)
