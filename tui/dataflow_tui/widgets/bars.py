"""The lines at the edges: who and how it is, which views there are, which keys do something here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from dataflow_tui.feeds import FeedState
from dataflow_tui.signs import Look
from dataflow_tui.text import one_line, span

if TYPE_CHECKING:
    from dataflow.operations.status import StatusResult


def click(command: str) -> Style:
    """A piece of text that does a command when it is clicked."""
    return Style.from_meta({"command": command})


def head(name: str, status: StatusResult | None, state: FeedState, look: Look, *, marks: Sequence[str]) -> Text:
    """The header: project, engine, health, alerts."""
    project = one_line(status.project if status else name, 30)
    parts = [Text.assemble(("dataflow ", look.quiet), (project, f"bold {look.accent}"))]
    parts += [Text(mark, f"bold {look.warn}") for mark in marks]
    if status is not None:
        good = sum(one.state in {"running", "completed"} and one.health != "unhealthy" for one in status.services)
        wanted = sum(one.state != "unavailable" for one in status.services)
        parts.append(Text(status.engine.name, look.text))
        parts.append(look.state(status.state))
        parts.append(Text(f"{good} of {wanted} services", look.text))
        parts.append(_alerts(len(status.alerts.open), look))
    if state.kind == "loading":
        parts.append(Text("◐ looking …", look.busy))
    elif state.trouble is not None:
        age = f" as of {span(state.age)} ago" if state.kind == "stale" else ""
        parts.append(Text(f"✗ no status{age}: {one_line(state.trouble.message, 60)}", look.bad))
    return Text("  ", end="", no_wrap=True, overflow="ellipsis").join(parts)


def _alerts(number: int, look: Look) -> Text:
    words = {0: "no alerts", 1: "▲ 1 alert"}.get(number, f"▲ {number} alerts")
    return Text(words, Style(color=look.bad if number else look.quiet) + click("go.alerts"))


def tabs(views: Sequence[tuple[str, str, str]], current: str, look: Look) -> Text:
    """The names of the views, each with its key; the one that is shown stands out without its colour too."""
    line = Text(end="", no_wrap=True)
    for key, name, title in views:
        style = f"bold reverse {look.accent}" if name == current else look.quiet
        line.append(f" {key} {title} ", Style.parse(style) + click(f"go.{name}"))
        line.append(" ")
    return line


def keys(hints: Sequence[tuple[str, str, str]], look: Look, width: int) -> Text:
    """As many keys as fit, the most important first."""
    line = Text(end="", no_wrap=True)
    for key, label, command in hints:
        piece = Text.assemble((f" {key} ", f"bold {look.accent}"), (f"{label} ", look.text))
        if line.cell_len + piece.cell_len > width:
            break
        if command:
            piece.stylize(click(command))
        line.append_text(piece)
    return line


class Bar(Static):
    """One line of text at an edge."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("", markup=False, id=id)
        self._last: Text | None = None

    class Pressed(Message):
        """A piece of the line that stands for an action was clicked."""

        def __init__(self, command: str) -> None:
            super().__init__()
            self.command = command

    def on_click(self, event: Click) -> None:
        """Do what the piece under the mouse stands for."""
        command = event.style.meta.get("command")
        if command:
            self.post_message(self.Pressed(command))

    def put(self, line: Text) -> None:
        """Show a line, where it is another one."""
        if self._last is None or line != self._last or line.spans != self._last.spans:
            self._last = line
            self.update(line, layout=False)  # it is one line, whatever stands in it
