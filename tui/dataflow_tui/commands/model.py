"""What an action is, and the desk that it works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from dataflow_tui.selection import Selection

if TYPE_CHECKING:
    from rich.text import Text

    from dataflow_tui.platform import Platform
    from dataflow_tui.screens.form import Field
    from dataflow_tui.signs import Look
    from dataflow_tui.work import Work

Needs = Literal["", "service", "workflow", "run", "schedule", "table", "sql", "alert", "line"]
_CHOOSE: dict[str, str] = {
    "service": "Choose a service first.",
    "workflow": "Choose a workflow first.",
    "run": "Choose a run first.",
    "schedule": "This workflow has no schedule, or Dagster is down.",
    "table": "Choose a table first.",
    "sql": "Write a query first: e.",
    "alert": "Choose an alert first.",
    "line": "Choose a line first.",
}


class Desk(Protocol):
    """What an action may use: the platform, what is chosen, and ways to show, ask and work. The app is one."""

    platform: Platform
    read_only: bool

    @property
    def chosen(self) -> Selection:
        """What is under the cursor."""
        ...

    @property
    def look(self) -> Look:
        """The colours in use."""
        ...

    def go(self, view: str) -> Any:
        """Show a view, and return it."""
        ...

    def begin(self, work: Work) -> None:
        """Start work in a thread."""
        ...

    def tell(self, message: str, tone: Literal["information", "warning", "error"] = "information") -> None:
        """Say something for a moment."""
        ...

    def read(self, title: str, text: Text) -> None:
        """Show a text until it is put away."""
        ...

    def fetch(self, title: str, ask: Callable[[], Any], show: Callable[[Any], Text]) -> None:
        """Ask something in a thread, and show what comes as a text."""
        ...

    def fill(self, title: str, fields: list[Field], check: Any, then: Callable[[tuple[str, ...]], None]) -> None:
        """Let a person fill in a form."""
        ...

    def wake(self, *feeds: str) -> None:
        """Ask feeds at once."""
        ...

    def lend(self, call: Callable[[], object]) -> None:
        """Give the terminal to a program, until the call that runs it comes back."""
        ...

    def browse(self, url: str) -> None:
        """Open a page in the browser."""
        ...

    def show_help(self) -> None:
        """Show what can be done here."""
        ...

    def show_palette(self) -> None:
        """Let a person search for an action."""
        ...

    def show_twins(self) -> None:
        """Show the commands that do the same, to copy one."""
        ...

    def show_work(self) -> None:
        """Show what the last work told."""
        ...

    def next_theme(self) -> None:
        """Use the next theme."""
        ...

    def back(self) -> None:
        """Leave what is open: a text field, a query that runs, a message."""
        ...

    def leave(self) -> None:
        """End the dashboard; the platform goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `view`: where its key counts, everywhere if empty. `twin`: the same on the command line.

    `needs`: what must be chosen. `unless`: why it does nothing now, else empty. `changes`: refused with --read-only.
    `asks`: a question to confirm first.
    """

    id: str
    key: str
    label: str
    help: str
    run: Callable[[Desk], None]
    twin: Callable[[Selection], str]
    view: str = ""
    needs: Needs = ""
    unless: Callable[[Selection], str] | None = None
    changes: bool = False
    asks: Callable[[Selection], str] | None = None
    footer: bool = True

    def refusal(self, chosen: Selection, *, read_only: bool) -> str:
        """Why it cannot be done now; empty where it can."""
        if self.changes and read_only:
            return "The dashboard is read-only."
        if self.needs and getattr(chosen, self.needs) is None:
            return _CHOOSE[self.needs]
        return self.unless(chosen) if self.unless else ""


def says(text: str) -> Callable[[Selection], str]:
    """A twin that is the same whatever is chosen."""
    return lambda _: text
