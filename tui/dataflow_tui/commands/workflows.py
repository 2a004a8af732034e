"""What can be done with workflows and their runs."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.models import FINISHED, Run, WorkflowInfo
from dataflow.workflows.discovery import ENTRY
from dataflow_tui import programs
from dataflow_tui.commands.model import Command, Desk
from dataflow_tui.prose import findings_text, lines_text, workflow_text
from dataflow_tui.screens.form import Field
from dataflow_tui.selection import LogAsk, Selection
from dataflow_tui.work import Work

if TYPE_CHECKING:
    from dataflow.clients.schedules import Schedule


def _workflow(chosen: Selection) -> WorkflowInfo:
    if chosen.workflow is None:
        raise AssertionError("an action on a workflow without one")
    return chosen.workflow


def _run_of(chosen: Selection) -> Run:
    if chosen.run is None:
        raise AssertionError("an action on a run without one")
    return chosen.run


def _schedule_of(chosen: Selection) -> Schedule:
    if chosen.schedule is None:
        raise AssertionError("an action on a schedule without one")
    return chosen.schedule


def _details(desk: Desk) -> None:
    workflow = _workflow(desk.chosen)
    desk.read(workflow.name, workflow_text(workflow, desk.look))


def _launch(desk: Desk) -> None:
    from dataflow.operations.run import RunOptions

    workflow = _workflow(desk.chosen)
    fields = [Field.of(parameter) for parameter in workflow.parameters]

    def check(values: tuple[str, ...]) -> object:
        return desk.platform.launch(RunOptions(workflow.name, values, dry_run=True), lambda _: None)

    def begin(values: tuple[str, ...]) -> None:
        options = RunOptions(workflow.name, values)
        work = Work(f"run {workflow.name}", lambda report: desk.platform.launch(options, report), _shown(desk))
        desk.begin(work)

    desk.fill(f"Run {workflow.name}", fields, check, begin)


def _shown(desk: Desk) -> Callable[[object], None]:
    """Put the cursor on the run that was made, once it is in the list."""

    def then(launched: object) -> None:
        desk.go("workflows").expect(str(getattr(launched, "run_id", "")))
        desk.wake("runs")

    return then


def _cancel(desk: Desk) -> None:
    run = _run_of(desk.chosen)
    title = f"cancel {run.id[:8]}"
    desk.begin(Work(title, lambda report: desk.platform.cancel(run.id, report), lambda _: desk.wake("runs", "run")))


def _retry(desk: Desk, *, from_failure: bool) -> None:
    run = _run_of(desk.chosen)
    call = desk.platform.retry
    desk.begin(
        Work(f"retry {run.id[:8]}", lambda report: call(run.id, report, from_failure=from_failure), _shown(desk))
    )


def _log(desk: Desk) -> None:
    run, step = _run_of(desk.chosen), desk.chosen.step
    title = f"Log of {run.id[:8]}" + (f", {step}" if step else "")
    desk.fetch(title, lambda: desk.platform.run_log(run.id, step), lambda lines: lines_text(lines, desk.look))


def _follow(desk: Desk) -> None:
    run = _run_of(desk.chosen)
    desk.go("logs").ask(LogAsk(run=run.id[:8]))


def _switch(desk: Desk) -> None:
    schedule = _schedule_of(desk.chosen)
    on = not schedule.on
    call = desk.platform.switch_schedule
    title = f"schedule of {schedule.workflow} {'on' if on else 'off'}"
    desk.begin(Work(title, lambda _: call(schedule.workflow, on=on), lambda _: desk.wake("schedules")))


def _entry(chosen: Selection) -> Path:
    return _workflow(chosen).folder / ENTRY


def _edit(desk: Desk) -> None:
    path = _entry(desk.chosen)
    desk.lend(lambda: programs.edit(path))
    desk.wake("workflows")


def _edit_twin(chosen: Selection) -> str:
    return f"dataflow exec -- {shlex.join([*programs.editor(), str(_entry(chosen))])}"


def _validate(desk: Desk) -> None:
    desk.fetch("Validation", desk.platform.validate, lambda found: findings_text(found, desk.look))


def _ended(chosen: Selection) -> str:
    run = _run_of(chosen)
    return f"The run {run.id[:8]} has ended: {run.state}." if run.state in FINISHED else ""


def _unfinished(chosen: Selection) -> str:
    run = _run_of(chosen)
    return "" if run.state in FINISHED else f"The run {run.id[:8]} has not ended."


def _unfailed(chosen: Selection) -> str:
    return _unfinished(chosen) or ("Nothing failed in this run." if _run_of(chosen).state == "success" else "")


def _run_twin(verb: str, more: str = "") -> Callable[[Selection], str]:
    return lambda chosen: f"dataflow workflow {verb} {_run_of(chosen).id[:8]} {more}".strip()


def _log_twin(chosen: Selection) -> str:
    step = f" --step {chosen.step}" if chosen.step else ""
    return f"dataflow workflow logs {_run_of(chosen).id[:8]}{step}"


def _switch_twin(chosen: Selection) -> str:
    schedule = _schedule_of(chosen)
    return f"dataflow workflow schedule {'off' if schedule.on else 'on'} {schedule.workflow}"


COMMANDS: tuple[Command, ...] = (
    Command(
        "workflow.run",
        "x",
        "Run",
        "Run the workflow; its parameters are asked for.",
        _launch,
        lambda chosen: f"dataflow workflow run {_workflow(chosen).name}",
        view="workflows",
        needs="workflow",
        changes=True,
    ),
    Command(
        "workflow.details",
        "d",
        "Details",
        "Show what is known of the workflow.",
        _details,
        lambda chosen: f"dataflow workflow show {_workflow(chosen).name}",
        view="workflows",
        needs="workflow",
    ),
    Command(
        "workflow.edit",
        "e",
        "Edit",
        "Open the workflow's code in the editor: $VISUAL or $EDITOR.",
        _edit,
        _edit_twin,
        view="workflows",
        needs="workflow",
        changes=True,
    ),
    Command(
        "workflow.schedule",
        "S",
        "Schedule",
        "Switch the workflow's schedule on or off.",
        _switch,
        _switch_twin,
        view="workflows",
        needs="schedule",
        changes=True,
        footer=False,
    ),
    Command(
        "workflow.validate",
        "v",
        "Validate",
        "Show what is wrong with workflows, by file and line.",
        _validate,
        lambda _: "dataflow workflow validate",
        view="workflows",
    ),
    Command(
        "run.log",
        "enter",
        "Log",
        "Show the log of the run, or of the step that is chosen.",
        _log,
        _log_twin,
        view="workflows",
        needs="run",
    ),
    Command(
        "run.follow",
        "l",
        "Follow log",
        "Follow the run's lines in the view of logs.",
        _follow,
        lambda chosen: f"dataflow logs --run {_run_of(chosen).id[:8]} --follow",
        view="workflows",
        needs="run",
        footer=False,
    ),
    Command(
        "run.cancel",
        "c",
        "Cancel",
        "Cancel the run and wait until it has ended.",
        _cancel,
        _run_twin("cancel"),
        view="workflows",
        needs="run",
        unless=_ended,
        changes=True,
        asks=lambda chosen: f"Cancel the run {_run_of(chosen).id[:8]} of {_run_of(chosen).workflow}?",
    ),
    Command(
        "run.retry",
        "t",
        "Retry",
        "Run all of the run again, with its parameters.",
        lambda desk: _retry(desk, from_failure=False),
        _run_twin("retry"),
        view="workflows",
        needs="run",
        unless=_unfinished,
        changes=True,
        footer=False,
    ),
    Command(
        "run.resume",
        "f",
        "Retry failed",
        "Run only what did not succeed again.",
        lambda desk: _retry(desk, from_failure=True),
        _run_twin("retry", "--from-failure"),
        view="workflows",
        needs="run",
        unless=_unfailed,
        changes=True,
    ),
)
