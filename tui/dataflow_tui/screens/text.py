"""A text over the view, until it is put away."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from dataflow_tui.text import title

WAITING = "◐ Looking …"


class TextScreen(ModalScreen[None]):
    """A titled text that scrolls. `y` copies all of it."""

    BINDINGS = [
        Binding("escape,q,enter", "dismiss", "Close"),
        Binding("y", "copy", "Copy"),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
        Binding("g,home", "top", "Top", show=False),
        Binding("G,end", "end", "End", show=False),
        Binding("pagedown,ctrl+d,space", "scroll(20)", "Page down", show=False),
        Binding("pageup,ctrl+u", "scroll(-20)", "Page up", show=False),
    ]

    def __init__(self, title: str, text: Text | None, copy: Callable[[str], None]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._copy = copy

    def compose(self) -> ComposeResult:
        """The text in a frame."""
        with VerticalScroll(id="sheet") as sheet:
            sheet.border_title = title(self._title)
            sheet.border_subtitle = "y copies, Esc closes"
            yield Static(self._text or Text(WAITING), markup=False, id="text")

    def put(self, text: Text) -> None:
        """Show the text that has come."""
        self._text = text
        if self.is_mounted:
            self.query_one("#text", Static).update(text)

    def action_copy(self) -> None:
        """Copy the whole text."""
        if self._text is not None:
            self._copy(self._text.plain)

    def action_scroll(self, by: int) -> None:
        """Some lines up or down."""
        self.query_one("#sheet").scroll_relative(y=by, animate=False)

    def action_top(self) -> None:
        """To the first line."""
        self.query_one("#sheet").scroll_home(animate=False)

    def action_end(self) -> None:
        """To the last line."""
        self.query_one("#sheet").scroll_end(animate=False)
