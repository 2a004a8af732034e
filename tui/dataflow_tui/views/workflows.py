"""Workflows: the registry, the runs of the one that is chosen, and the steps of a run over time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from dataflow.models import FINISHED, Run, WorkflowInfo
from dataflow_tui.prose import finding_text, paragraphs
from dataflow_tui.selection import Selection
from dataflow_tui.text import ago, cell, span, title
from dataflow_tui.views.base import View
from dataflow_tui.views.steps import run_head, step_rows
from dataflow_tui.widgets.panel import Panel
from dataflow_tui.widgets.rows import Row, Rows

if TYPE_CHECKING:
    from dataflow.clients.schedules import Schedule
    from dataflow.operations.runs import RunDetail, RunList
    from dataflow.operations.schedules import ScheduleList
    from dataflow.operations.workflows import WorkflowList


class Workflows(View):
    """A workflow above, its runs below; beside them the run's steps."""

    NAME = "workflows"
    FEEDS = ("workflows", "runs", "run", "schedules")
    HOME = "#workflows"
    ENTER = ("workflows", "runs", "steps")

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._expected = ""

    def compose(self) -> ComposeResult:
        """Two tables beside the run."""
        with Container(classes="pair"):
            with Vertical(classes="column"):
                table = Rows(("WORKFLOW", "LAST RUN", "SCHEDULE", "NEXT"), id="workflows")
                empty = "No workflows yet: `dataflow workflow init NAME` makes one."
                faults = Static("", markup=False, id="faults")
                yield Panel("Workflows", table, id="workflow-list", empty=empty)
                yield faults
                runs = Rows(("RUN", "STATE", "BEGAN", "TOOK"), id="runs")
                yield Panel("Runs", runs, id="run-list", empty="It has not run yet: x runs it.")
            head = Static("", markup=False, id="run-head")
            steps = Rows(("STEP", "STATE", "TOOK", "WHEN"), id="steps")
            yield Panel("Run", [head, steps], id="run-detail", empty="Choose a run.")

    def show_feed(self, name: str) -> None:
        """Show what one feed holds."""
        show: dict[str, Any] = {
            "workflows": self._show_workflows,
            "schedules": self._show_workflows,
            "runs": self._show_runs,
            "run": self._show_run,
        }
        show[name]()

    def on_data_table_row_highlighted(self, event: Rows.RowHighlighted) -> None:
        """Another workflow or run is under the cursor."""
        if event.data_table.id == "workflows":
            self._show_runs()
        if event.data_table.id in {"workflows", "runs"}:
            self._want_run()
        self.desk.show_keys()

    @property
    def chosen(self) -> Selection:
        """Workflow, run and step under their cursors."""
        workflow, step = self._workflow, self.query_one("#steps", Rows)
        return Selection(
            workflow=workflow,
            run=self._run,
            step=step.current if step.has_focus else None,
            schedule=self._schedule(workflow.name) if workflow else None,
        )

    @property
    def wanted_run(self) -> str | None:
        """The run whose steps are asked for."""
        run = self._run
        return run.id if run else None

    def expect(self, run_id: str) -> None:
        """Put the cursor on this run as soon as it is in the list."""
        self._expected = run_id

    @property
    def _workflow(self) -> WorkflowInfo | None:
        found: WorkflowList | None = self.feed("workflows").value
        name = self.query_one("#workflows", Rows).current
        return next((one for one in found.workflows if one.name == name), None) if found else None

    @property
    def _run(self) -> Run | None:
        found: RunList | None = self.feed("runs").value
        key = self.query_one("#runs", Rows).current
        return next((one for one in found.runs if one.id == key), None) if found else None

    def _schedule(self, workflow: str) -> Schedule | None:
        found: ScheduleList | None = self.feed("schedules").value
        return next((one for one in found.schedules if one.workflow == workflow), None) if found else None

    def _show_workflows(self) -> None:
        found: WorkflowList | None = self.feed("workflows").value
        workflows = found.workflows if found else ()
        findings = found.findings if found else ()
        self.query_one("#workflows", Rows).put([self._row(one) for one in workflows])
        self.say("workflow-list", "workflows", filled=bool(workflows))
        faults = self.query_one("#faults", Static)
        faults.display = bool(findings)
        faults.update(paragraphs(finding_text(one, self.look) for one in findings[:3]))

    def _row(self, workflow: WorkflowInfo) -> Row:
        schedule = self._schedule(workflow.name)
        state = f"{schedule.cron} {'on' if schedule.on else 'off'}" if schedule else workflow.schedule
        starts = schedule.next[0] if schedule and schedule.on and schedule.next else None
        upcoming = f"in {span((starts - datetime.now(UTC)).total_seconds())}" if starts else None
        runs: RunList | None = self.feed("runs").value
        last = next((run for run in runs.runs if run.workflow == workflow.name), None) if runs else None
        cells = (
            cell(workflow.name, "bold"),
            self.look.state(last.state) if last else Text("-", self.look.quiet),
            cell(state),
            cell(upcoming, self.look.quiet),
        )
        return Row(workflow.name, cells)

    def _show_runs(self) -> None:
        found: RunList | None = self.feed("runs").value
        workflow = self._workflow
        runs = [run for run in (found.runs if found else ()) if workflow is None or run.workflow == workflow.name]
        table = self.query_one("#runs", Rows)
        table.put([self._run_row(run) for run in runs])
        if any(run.id == self._expected for run in runs):
            table.place(self._expected)
            self._expected = ""
        self.say("run-list", "runs", filled=bool(runs))
        self.query_one("#run-list", Panel).border_title = title(f"Runs of {workflow.name}" if workflow else "Runs")
        self._show_workflows()
        self._want_run()

    def _run_row(self, run: Run) -> Row:
        seconds = run.seconds
        going = run.state not in FINISHED and run.started is not None
        took = ago(run.started).removesuffix(" ago") if going else span(seconds)
        cells = (
            cell(run.id[:8], "bold"),
            self.look.state(run.state),
            cell(ago(run.created or run.started)),
            cell(took),
        )
        return Row(run.id, cells)

    def _want_run(self) -> None:
        """Ask for the steps of the run under the cursor, if they are not those that are shown."""
        detail: RunDetail | None = self.feed("run").value
        if self.wanted_run and (detail is None or detail.run.id != self.wanted_run):
            self.desk.wake("run")
        self._show_run()

    def _show_run(self) -> None:
        detail: RunDetail | None = self.feed("run").value
        fits = detail is not None and detail.run.id == self.wanted_run
        self.say("run-detail", "run", filled=fits)
        if detail is not None and fits:
            self.query_one("#run-head", Static).update(run_head(detail, self.look))
            self.query_one("#steps", Rows).put(step_rows(detail, self.look))
