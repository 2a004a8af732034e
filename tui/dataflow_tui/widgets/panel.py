"""A panel owns the states of its feed: no view can forget that a source may be loading, empty, old or down."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from dataflow_tui.feeds import FeedState
from dataflow_tui.signs import Look
from dataflow_tui.text import clean, one_line, span


def note_of(state: FeedState, look: Look, *, filled: bool, empty: str) -> Text | None:
    """What a panel says beside or instead of its content; None where the content says it all."""
    trouble = state.trouble
    if state.kind == "loading":
        return Text("◐ Loading …", look.busy)
    if trouble is None:
        return None if filled else Text(empty, look.quiet)
    again = f"asks again in {state.retry_in:.0f} s" if state.retry_in else "asking"
    if state.kind == "stale":
        return Text.assemble(
            (f"▲ as of {span(state.age)} ago: ", look.warn), (one_line(trouble.message, 200), look.warn),
            (f"  ({again}, R now)", look.quiet),
        )  # fmt: skip
    lines = [Text.assemble(("✗ ", look.bad), (clean(trouble.message, 1000), look.bad))]
    lines += [Text(clean(trouble.hint, 1000), look.text)] if trouble.hint else []
    lines += [Text.assemble("  → ", (clean(command, 300), look.accent)) for command in trouble.commands]
    lines.append(Text(f"{again}; R asks now", look.quiet))
    return Text("\n").join(lines)


class Panel(Vertical):
    """A titled frame around a widget, with a note for what the widget cannot say."""

    def __init__(self, title: str, body: Widget | Sequence[Widget], *, id: str, empty: str = "") -> None:  # noqa: A002
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._bodies = [body] if isinstance(body, Widget) else list(body)
        self._empty = empty
        self._note = Static("", markup=False, classes="note")
        self._note.display = False
        self._shown: Text | None = None

    def compose(self) -> ComposeResult:
        """The note above the content."""
        yield self._note
        yield from self._bodies

    def show(self, state: FeedState, look: Look, *, filled: bool) -> None:
        """Say how the feed is; hide the content only where there is none."""
        note = note_of(state, look, filled=filled, empty=self._empty)
        if note != self._shown:
            self._shown = note
            self._note.display = note is not None
            self._note.update(note or "")
        for body in self._bodies:
            body.display = filled
        self.set_class(state.kind in {"stale", "down"}, "troubled")
