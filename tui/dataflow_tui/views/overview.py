"""The overview: what is wrong first, then everything at a glance."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from dataflow_tui.prose import problem_text, short_name, subject_of
from dataflow_tui.selection import Selection
from dataflow_tui.text import cell
from dataflow_tui.views.base import View
from dataflow_tui.views.tiles import Seen, tiles
from dataflow_tui.widgets.panel import Panel
from dataflow_tui.widgets.rows import Row, Rows

if TYPE_CHECKING:
    from dataflow.operations.causes.model import Problem
    from dataflow.operations.status import StatusResult
    from dataflow.operations.why import WhyResult

_SAMPLES = 60
_TILES = ("services", "runs", "data", "alerts", "machine")


class Overview(View):
    """Problems, each with its cause; below them tiles of services, runs, data, alerts and the machine."""

    NAME = "overview"
    FEEDS = ("status", "why")
    HOME = "#problems"
    ENTER = ("problems",)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._seen = Seen(deque(maxlen=_SAMPLES), deque(maxlen=_SAMPLES))
        self._last: StatusResult | None = None

    def compose(self) -> ComposeResult:
        """The problems above the tiles."""
        rows = Rows(("", "WHAT", "WHY", "DO"), id="problems")
        yield Panel("What is wrong", rows, id="wrong", empty="✓ Nothing is wrong.")
        with VerticalScroll(id="tiles-scroll", can_focus=False), Grid(id="tiles"):
            for name in _TILES:
                yield Panel(name.capitalize(), Static("", markup=False), id=f"tile-{name}")

    def show_feed(self, name: str) -> None:
        """Problems from `why`, tiles from the status."""
        if name == "why":
            self._show_problems()
        elif name == "status":
            self._show_tiles()

    @property
    def chosen(self) -> Selection:
        """What the problem under the cursor is about, where it has a name."""
        problem = self._problem
        named = problem is not None and problem.subject.kind != "platform"
        return Selection(problem=short_name(problem) if problem and named else None)

    def visit(self) -> None:
        """Show the evidence for the problem under the cursor."""
        problem = self._problem
        if problem is None:
            self.desk.tell("Nothing is wrong.")
        else:
            self.desk.read(subject_of(problem), problem_text(problem, self.look))

    @property
    def _problem(self) -> Problem | None:
        found: WhyResult | None = self.feed("why").value
        key = self.query_one("#problems", Rows).current
        number = int(key.partition(" ")[0]) if key else -1
        return found.problems[number] if found and 0 <= number < len(found.problems) else None

    def _show_problems(self) -> None:
        found: WhyResult | None = self.feed("why").value
        problems = found.problems if found else ()
        self.query_one("#problems", Rows).put([self._row(number, one) for number, one in enumerate(problems)])
        self.say("wrong", "why", filled=bool(problems))
        wrong = self.query_one("#wrong", Panel)
        wrong.border_subtitle = f"{len(problems)}" if problems else ""

    def _row(self, number: int, problem: Problem) -> Row:
        subject = subject_of(problem)
        helps = problem.actions[0].command if problem.actions else ""
        cells = (
            Text("✗", self.look.bad),
            cell(subject, "bold", 40),
            cell(problem.summary, self.look.text, 64),
            cell(helps, self.look.accent, 60),
        )
        return Row(f"{number} {subject}", cells)

    def _show_tiles(self) -> None:
        feed = self.feed("status")
        status: StatusResult | None = feed.value
        if status is not None and status is not self._last:
            self._last = status
            self._seen.add(status)
        made = tiles(status, self._seen, self.look) if status else {}
        for name in _TILES:
            self.say(f"tile-{name}", "status", filled=status is not None)
            if name in made:
                self.query_one(f"#tile-{name} Static:last-of-type", Static).update(made[name])
