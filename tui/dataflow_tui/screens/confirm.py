"""A question before something is stopped or lost. Whoever only presses Enter says no."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static


class Confirm(ModalScreen[bool]):
    """Yes or no, with the command that would do the same."""

    BINDINGS = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("left,h", "app.focus_previous", "Left", show=False),
        Binding("right,l", "app.focus_next", "Right", show=False),
    ]

    def __init__(self, question: str, twin: str) -> None:
        super().__init__()
        self._question = question
        self._twin = twin

    def compose(self) -> ComposeResult:
        """The question and its two answers, no first."""
        with Vertical(id="box"):
            yield Static(Text(self._question), markup=False)
            yield Static(Text(f"$ {self._twin}"), markup=False, classes="quiet")
            with Horizontal(classes="answers"):
                yield Button("No (n)", id="no")
                yield Button("Yes (y)", id="yes", variant="warning")

    def on_mount(self) -> None:
        """The harmless answer is the one that Enter gives."""
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button is an answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """A key is an answer."""
        self.dismiss(yes)
