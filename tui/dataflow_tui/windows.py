"""What an app shows over its view or hands to the terminal: a word, a text, a form, a page, a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rich.text import Text
from textual.app import App, SuspendNotSupported

from dataflow.errors import DataflowError
from dataflow_tui.screens.form import Check, Field, Form
from dataflow_tui.screens.text import TextScreen
from dataflow_tui.text import clean


class Windows(App[None]):
    """Knows nothing of platforms and views."""

    def tell(self, message: str, tone: Literal["information", "warning", "error"] = "information") -> None:
        """Say something for a moment."""
        self.notify(clean(message, 1000), severity=tone, markup=False)

    def read(self, title: str, text: Text) -> None:
        """Show a text until it is put away."""
        self.push_screen(TextScreen(clean(title, 200), text, self.copy))

    def fill(
        self, title: str, fields: list[Field], check: Check | None, then: Callable[[tuple[str, ...]], None]
    ) -> None:
        """Let a person fill in a form."""
        self.push_screen(Form(title, fields, check), lambda values: None if values is None else then(values))

    def browse(self, url: str) -> None:
        """Open a page in the browser."""
        self.open_url(url)
        self.tell(f"Opened {url}.")

    def lend(self, call: Callable[[], object]) -> None:
        """Give the terminal to a program, until the call that runs it comes back."""
        trouble = ""
        try:
            with self.suspend():
                try:
                    call()
                except DataflowError as error:  # inside: Textual takes the terminal back only without an exception
                    trouble = error.message
        except SuspendNotSupported:
            trouble = "This terminal cannot be given to another program."
        if trouble:
            self.tell(trouble, "warning")

    def copy(self, text: str) -> None:
        """Copy a text, over the terminal where it can do that."""
        self.copy_to_clipboard(text)
        first = text.splitlines()[0] if text else ""
        self.tell(f"Copied: {first[:200]}")

    def show_palette(self) -> None:
        """Let a person search for an action."""
        self.action_command_palette()
