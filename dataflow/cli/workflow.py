"""`dataflow workflow`: start, list, run and watch workflows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataflow.cli import authoring, backfill
from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.config import names

if TYPE_CHECKING:
    from dataflow.operations.context import Context
    from dataflow.operations.follow import RunResult
    from dataflow.operations.run import Launched

app = new_app("workflow", "Start, test, run and watch workflows.")
app.command()(authoring.init)

Name = Annotated[str, typer.Argument(help="The workflow.", autocompletion=names.workflows)]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, the beginning of it, or 'last'.", autocompletion=names.runs)
]


ScheduleAction = Literal["list", "next", "on", "off"]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Do not wait for its end.")]


@app.command(name="list")
def list_(
    ctx: typer.Context, tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.")] = None
) -> None:
    """List workflows, and what is wrong with those that do not load.

    Example:
        $ dataflow workflow list
    """
    from dataflow.cli.views.workflow import show_list
    from dataflow.operations.workflows import list_workflows

    output: Output = ctx.obj
    result = list_workflows(context_of(output), tag=tag)
    output.result(result, show_list)
    if result.findings:
        raise typer.Exit(4)


@app.command()
def show(ctx: typer.Context, name: Name) -> None:
    """Show one workflow: parameters, needs, assets, checks, newest runs.

    Example:
        $ dataflow workflow show nightscout
    """
    from dataflow.cli.views.workflow import show_detail
    from dataflow.operations.workflows import show_workflow

    output: Output = ctx.obj
    output.result(show_workflow(context_of(output), name), show_detail)


app.command()(authoring.validate)
app.command("test")(authoring.run_tests)


@app.command()
def run(
    ctx: typer.Context,
    name: Name,
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter.")] = None,
    asset: Annotated[
        list[str] | None,
        typer.Option("--asset", metavar="SELECTION", help="Only these: orders, +daily, group:raw, kind:dbt…"),
    ] = None,
    partition: Annotated[
        str | None, typer.Option("--partition", "-p", metavar="KEY", help="For this partition; 'last' is the newest.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Tag the run.")] = None,
    detach: Detach = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check, and say what would run.")] = False,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="In this terminal, with its log: breakpoint() works.")
    ] = False,
) -> None:
    """Run a workflow and follow it to its end.

    On the running Dagster, or in a process of its own where it is down. The exit code is the run's result:
    0 done, 7 failed or cancelled, 8 checks did not hold.

    Example:
        $ dataflow workflow run nightscout --dry-run

        $ dataflow workflow run nightscout

        $ dataflow workflow run nightscout --asset 'kind:dbt'

        $ dataflow workflow run nightscout --asset nightscout/entries --in-process
    """
    from dataflow.cli.views.workflow import show_launched, show_result
    from dataflow.errors import UsageError
    from dataflow.operations.run import RunOptions, launch

    if in_process and detach:
        raise UsageError("--in-process and --detach exclude each other.")
    output: Output = ctx.obj
    context = context_of(output)
    options = RunOptions(name, tuple(set_ or ()), tuple(asset or ()), tuple(tag or ()), partition, dry_run, in_process)
    launched = launch(context, options, output.report)
    if detach or dry_run:
        output.result(launched, show_launched)
        return
    output.result(_follow(context, launched, output), show_result)


@app.command()
def retry(
    ctx: typer.Context,
    run_id: RunId = "last",
    from_failure: Annotated[
        bool, typer.Option("--from-failure", help="Only the steps that did not succeed, with what the others made.")
    ] = False,
    detach: Detach = False,
) -> None:
    """Run an ended run once more, with its parameters, assets and tags.

    Example:
        $ dataflow workflow retry last

        $ dataflow workflow retry last --from-failure
    """
    from dataflow.cli.views.workflow import show_launched, show_result
    from dataflow.operations.retry import retry as operation

    output: Output = ctx.obj
    context = context_of(output)
    launched = operation(context, run_id, output.report, from_failure=from_failure)
    if detach:
        output.result(launched, show_launched)
        return
    output.result(_follow(context, launched, output), show_result)


app.command()(backfill.backfill)


@app.command()
def runs(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Only this workflow's.", autocompletion=names.workflows)] = None,
    state: Annotated[
        list[str] | None, typer.Option("--state", "-s", metavar="STATE", help="Only those: failure, running, success…")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="From then on: 2h, 1d, 14:30…")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="The newest so many.")] = 20,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=0.2, help="Seconds between two looks.")
    ] = 2.0,
) -> None:
    """List runs, the newest first.

    With --watch and --json, one JSON line per look.

    Example:
        $ dataflow workflow runs nightscout --limit 5

        $ dataflow workflow runs --state failure --since 1d
    """
    from dataflow.cli.views import watch as views
    from dataflow.cli.views.workflow import show_runs
    from dataflow.operations import runs as operations

    output: Output = ctx.obj
    context = context_of(output)
    wanted = operations.RunFilter(name, tuple(state or ()), since, limit)
    if watch:
        views.watch(output, operations.watch(context, wanted, interval=interval), show_runs)
        return
    output.result(operations.list_runs(context, wanted), show_runs)


@app.command()
def status(ctx: typer.Context, run_id: RunId = "last") -> None:
    """Show one run with its steps and checks.

    Example:
        $ dataflow workflow status last
    """
    from dataflow.cli.views.workflow import show_run
    from dataflow.operations import runs as operations

    output: Output = ctx.obj
    output.result(operations.show_run(context_of(output), run_id), show_run)


@app.command()
def logs(
    ctx: typer.Context,
    run_id: RunId = "last",
    step: Annotated[str | None, typer.Option("--step", help="Only this step's lines.")] = None,
    tail: Annotated[int | None, typer.Option("--tail", "-n", metavar="N", min=1, help="Only the last lines.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
) -> None:
    """Show the log of one run.

    Debug lines are left out, unless --verbose or --json.

    Example:
        $ dataflow workflow logs last --tail 10
    """
    from dataflow.cli.views.workflow import LogLines, show_log, show_log_line
    from dataflow.operations import run_logs as operations

    output: Output = ctx.obj
    hidden = set() if output.verbose or output.json else {"debug"}
    if follow:
        for line in operations.follow_log(context_of(output), run_id, step=step):
            if line.level not in hidden:
                output.item(line, show_log_line)
        return
    found = operations.read_log(context_of(output), run_id, step=step)
    lines = tuple(line for line in found if line.level not in hidden)
    output.result(LogLines(lines[-tail:] if tail else lines), show_log)


@app.command()
def schedule(
    ctx: typer.Context,
    action: Annotated[ScheduleAction, typer.Argument(help="What to do; on and off need a workflow.")] = "list",
    name: Annotated[str | None, typer.Argument(help="Only this workflow's.", autocompletion=names.workflows)] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="The next so many times.")] = 5,
) -> None:
    """List schedules, see when they start next, switch them on or off.

    A schedule is off until it is switched on, and starts its workflow only while the platform is up.

    Example:
        $ dataflow workflow schedule

        $ dataflow workflow schedule on nightscout

        $ dataflow workflow schedule next nightscout

        $ dataflow workflow schedule off nightscout
    """
    from dataflow.cli.views.workflow import show_schedules, show_times
    from dataflow.errors import UsageError
    from dataflow.operations import schedules as operations

    output: Output = ctx.obj
    context = context_of(output)
    if action in ("on", "off"):
        if name is None:
            raise UsageError(f"Which workflow's schedule? dataflow workflow schedule {action} NAME")
        output.result(operations.switch(context, name, on=action == "on"), show_schedules)
    elif action == "next":
        output.result(operations.list_schedules(context, name, ticks=limit), show_times)
    else:
        output.result(operations.list_schedules(context, name), show_schedules)


@app.command()
def cancel(ctx: typer.Context, run_id: RunId) -> None:
    """Cancel a run and wait until it has ended.

    Example:
        $ dataflow workflow cancel last
    """
    from dataflow.cli.views.workflow import show_run
    from dataflow.operations.runs import cancel_run

    output: Output = ctx.obj
    output.result(cancel_run(context_of(output), run_id, output.report), show_run)


def _follow(context: Context, launched: Launched, output: Output) -> RunResult:
    """Follow; Ctrl-C asks in a terminal whether to leave the run alone or to cancel it, elsewhere it cancels."""
    from dataflow.operations.follow import follow
    from dataflow.operations.runs import cancel_run

    while True:
        try:
            return follow(context, launched, output.report)
        except KeyboardInterrupt:
            output.progress.close()
            run_id = launched.run_id or ""
            answer = _ask(run_id) if sys.stdin.isatty() else "c"
            if answer == "d":
                output.people.print(f"The run goes on. Follow it again: dataflow workflow logs {run_id[:8]} --follow")
                raise typer.Exit(130) from None
            if answer == "c":
                cancel_run(context, run_id, output.report)


def _ask(run_id: str) -> str:
    return (
        typer.prompt(f"Run {run_id[:8]}: (d)etach, (c)ancel or (f)ollow on?", default="f", err=True).strip().lower()[:1]
    )
