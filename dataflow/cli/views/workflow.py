"""Workflows and runs, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.cli.errors import show_place
from dataflow.cli.tables import ago, count, state, table, took, value
from dataflow.cli.views.project import HOW_TO_WORKFLOW
from dataflow.models import LogLine, Run
from dataflow.workflows.partitions import in_words

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from dataflow.clients.schedules import Schedule
    from dataflow.operations.follow import RunResult
    from dataflow.operations.following import Progress
    from dataflow.operations.run import Launched
    from dataflow.operations.runs import RunDetail, RunList
    from dataflow.operations.schedules import ScheduleList
    from dataflow.operations.workflows import WorkflowDetail, WorkflowList


@dataclass(frozen=True, slots=True)
class LogLines:
    """The lines of a run's log."""

    lines: tuple[LogLine, ...]


def show_list(console: Console, result: WorkflowList) -> None:
    """All workflows, then the findings."""
    if result.workflows:
        rows = [
            (w.name, w.schedule or "-", str(len(w.assets)), str(len(w.checks)), w.description) for w in result.workflows
        ]
        table(console, ["WORKFLOW", "SCHEDULE", "#ASSETS", "#CHECKS", "WHAT IT DOES"], rows)
    elif not result.findings:
        console.print("No workflows yet: a folder under workflows/ with a dagster_job.py makes one.")
        console.print(f"How: {HOW_TO_WORKFLOW}", soft_wrap=True)
    for finding in result.findings:
        console.print(f"\n{finding.rule}: {finding.message}", soft_wrap=True)
        show_place(console, finding.place)
        if finding.hint:
            console.print(f"  {finding.hint}", soft_wrap=True)


def show_detail(console: Console, result: WorkflowDetail) -> None:
    """One workflow."""
    info = result.workflow
    facts = {
        "workflow": info.name,
        "what it does": info.description,
        "folder": str(info.folder),
        "owner": info.owner or "-",
        "tags": ", ".join(info.tags) or "-",
        "schedule": f"{info.schedule} (UTC)" if info.schedule else "-",
        "partitions": in_words(info) or "-",
        "needs": ", ".join(info.requires) or "-",
        "secrets": ", ".join(info.secrets) or "-",
    }
    for name, text in facts.items():
        console.print(f"{name:<13} {text}", soft_wrap=True)
    if info.parameters:
        rows = [(p.name, p.type, value(p.default), p.description) for p in info.parameters]
        console.print()
        table(console, ["PARAMETER", "TYPE", "DEFAULT", "WHAT IT DOES"], rows)
    for title, names in (("assets", info.assets), ("checks", info.checks)):
        console.print(f"\n{title}{'' if names else '  -'}")
        for name in names:
            console.print(f"  {name}", soft_wrap=True)
    console.print()
    _runs(console, result.runs)


def show_launched(console: Console, launched: Launched) -> None:
    """What was or would be started."""
    if launched.run_id:
        console.print(f"Run {launched.run_id} of {launched.workflow} was started.")
        console.print(f"Follow it: dataflow workflow logs {launched.run_id[:8]} --follow")
        return
    console.print(f"Would run {launched.workflow} through {launched.through}.")
    for name, chosen in launched.parameters.items():
        console.print(f"  {name} = {value(chosen)}", soft_wrap=True)
    if launched.partition:
        console.print(f"  for the partition {launched.partition}", soft_wrap=True)
    for asset in launched.assets:
        console.print(f"  computes {asset}", soft_wrap=True)
    if launched.expected is not None:
        console.print(f"Expect it to take {took(launched.expected)}: so long did the newest runs take that succeeded.")


def show_result(console: Console, result: RunResult) -> None:
    """A run that went well."""
    run, progress = result.run, result.progress
    held = f", {count(len(progress.checks), 'check')} held" if progress.checks else ""
    console.print(f"{run.workflow} succeeded in {took(run.seconds)}: {count(len(progress.steps), 'step')}{held}.")
    console.print(f"  {result.url}" if result.url else f"  run {run.id}", soft_wrap=True)


def show_schedules(console: Console, result: ScheduleList) -> None:
    """Schedules, and when each starts its workflow next."""
    if not result.schedules:
        console.print('No schedules. A workflow gets one by @register_workflow(…, schedule="15 6 * * *").')
        return
    rows = [
        (one.workflow, f"{one.cron} {one.timezone}", "on" if one.on else "off", _next(one)) for one in result.schedules
    ]
    table(console, ["WORKFLOW", "SCHEDULE", "STATE", "NEXT"], rows)


def show_times(console: Console, result: ScheduleList) -> None:
    """When schedules start their workflows, the next first."""
    times = sorted((time, one.workflow) for one in result.schedules if one.on for time in one.next)
    if times:
        table(console, ["NEXT", "WORKFLOW"], [(_clock(time), workflow) for time, workflow in times])
    for one in result.schedules:
        if not one.on:
            console.print(f"{one.workflow} is off: dataflow workflow schedule on {one.workflow}", soft_wrap=True)


def _next(one: Schedule) -> str:
    return _clock(one.next[0]) if one.on and one.next else "-"


def _clock(time: datetime) -> str:
    """A moment to come, by this machine's clock."""
    return f"{time.astimezone():%a %Y-%m-%d %H:%M}"


def show_runs(console: Console, result: RunList) -> None:
    """Runs, the newest first."""
    _runs(console, result.runs)


def show_run(console: Console, detail: RunDetail) -> None:
    """One run with its steps."""
    _runs(console, (detail.run,))
    show_progress(console, detail.progress)


def show_progress(console: Console, progress: Progress) -> None:
    """Steps, how many checks held and which did not, and what went wrong."""
    rows = [(step.name, state(step.state), took(step.seconds)) for step in progress.steps]
    console.print()
    table(console, ["STEP", "STATE", "#TOOK"], rows)
    failed = [check.name for check in progress.checks if not check.passed]
    if progress.checks:
        bad = f", {len(failed)} failed:" if failed else "."
        console.print(f"\n{count(len(progress.checks) - len(failed), 'check')} held{bad}")
    for name in failed:
        console.print(f"  {name}", soft_wrap=True)
    error = progress.failed.error if progress.failed else progress.error
    if error:
        console.print(f"\n{error}", soft_wrap=True)


def show_log(console: Console, log: LogLines) -> None:
    """The lines of a run's log."""
    if not log.lines:
        console.print("No log lines yet.")
    for line in log.lines:
        show_log_line(console, line)


def show_log_line(console: Console, line: LogLine) -> None:
    """One line: time, level, step, message."""
    from rich.text import Text

    from dataflow.cli.views.logs import printable

    step = f"{line.step}  " if line.step else ""
    style = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim"}.get(line.level, "")
    text = Text.assemble(
        (f"{line.timestamp:%H:%M:%S} ", "dim"), (f"{line.level:<8}", style), (step, "cyan"), printable(line.message)
    )
    console.print(text, soft_wrap=True)
    trace = line.context.get("exception")
    if trace:
        console.print(Text(printable(str(trace)).rstrip(), "dim"), soft_wrap=True)


def _runs(console: Console, runs: tuple[Run, ...]) -> None:
    if not runs:
        console.print("No runs.")
        return
    rows = [(run.id[:8], run.workflow, state(run.state), ago(run.created), took(run.seconds)) for run in runs]
    table(console, ["RUN", "WORKFLOW", "STATE", "#AGO", "#TOOK"], rows)
