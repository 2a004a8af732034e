"""The steps of a run over time: pure functions from its details to text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from dataflow.models import StepRun
from dataflow_tui.prose import paragraphs
from dataflow_tui.signs import Look
from dataflow_tui.text import cell, clean, clock, one_line, span
from dataflow_tui.widgets.rows import Row

if TYPE_CHECKING:
    from dataflow.operations.runs import RunDetail

_NAME, _WIDTH = 24, 8  # columns: both, the state and the time fit half a screen of 110


def run_head(detail: RunDetail, look: Look) -> Text:
    """Which run it is, how it went, and what failed."""
    run, progress = detail.run, detail.progress
    took = f"  took {span(run.seconds)}" if run.seconds is not None else ""
    began = f"  began {clock(run.started or run.created)}"
    first = Text.assemble((run.id[:8], "bold"), f" {one_line(run.workflow, 40)}  ", look.state(run.state))
    lines = [first.append(began + took, look.quiet)]
    if progress.checks:
        failed = [check.name for check in progress.checks if not check.passed]
        words = f"✗ {len(failed)} of {len(progress.checks)} checks failed: {', '.join(failed)}"
        many = "s" if len(progress.checks) > 1 else ""
        good = f"✓ {len(progress.checks)} check{many} passed"
        lines.append(Text(one_line(words if failed else good, 300), look.bad if failed else look.good))
    fault = progress.failed.error if progress.failed else progress.error
    if fault:
        lines.append(Text(clean(fault, 600).rstrip(), look.bad))
    return paragraphs(lines)


def step_rows(detail: RunDetail, look: Look) -> list[Row]:
    """A row for each step, with a bar for when it ran."""
    steps = detail.progress.steps
    begins = [step.started for step in steps if step.started]
    first = min(begins, default=None)
    end = max((_end(step) for step in steps if step.started), default=None)
    return [
        Row(
            step.name,
            (
                cell(step.name, "bold", _NAME),
                look.state(step.state),
                Text(span(_seconds(step)), justify="right"),
                Text(bar(step, first, end), look.accent),
            ),
        )
        for step in steps
    ]


def bar(step: StepRun, first: datetime | None, end: datetime | None) -> str:
    """Where in the whole run the step lies."""
    if first is None or end is None or step.started is None:
        return ""
    whole = max((end - first).total_seconds(), 0.001)
    left = int((step.started - first).total_seconds() / whole * _WIDTH)
    wide = max(round((_seconds(step) or 0.0) / whole * _WIDTH), 1)
    left = min(left, _WIDTH - 1)
    return " " * left + "━" * min(wide, _WIDTH - left)


def _seconds(step: StepRun) -> float | None:
    if step.seconds is not None or step.started is None:
        return step.seconds
    return max((datetime.now(UTC) - step.started).total_seconds(), 0.0)


def _end(step: StepRun) -> datetime:
    started = step.started or datetime.now(UTC)
    return datetime.fromtimestamp(started.timestamp() + (_seconds(step) or 0.0), UTC)
