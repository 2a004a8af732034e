"""A line to type in at the bottom of a view, which is there only while somebody types."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input


class Prompt(Input):
    """Asks for one text. Escape puts it away and changes nothing."""

    class Given(Message):
        """What was typed, for the purpose it was asked for."""

        def __init__(self, purpose: str, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.display = False
        self._purpose = ""

    def ask(self, purpose: str, title: str, text: str) -> None:
        """Show it with what is there so far."""
        self._purpose = purpose
        self.border_title = title
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter gives the text."""
        event.stop()
        self.display = False
        self.post_message(self.Given(self._purpose, self.value))
