"""A list to choose from: commands to copy."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dataflow_tui.text import title


class Choose(ModalScreen[int | None]):
    """Gives the number of the line that was chosen."""

    BINDINGS = [
        Binding("escape,q", "leave", "Close"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("y", "take", "Copy", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Text]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(id="sheet") as sheet:
            sheet.border_title = title(self._title)
            sheet.border_subtitle = "Enter copies, Esc closes"
            yield OptionList(*(Option(line) for line in self._lines), id="lines", markup=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(event.option_index)

    def action_leave(self) -> None:
        """None of them."""
        self.dismiss(None)

    def action_take(self) -> None:
        """The one under the cursor: `y` twice copies the first."""
        self.query_one(OptionList).action_select()

    def action_move(self, by: int) -> None:
        """A line up or down."""
        lines = self.query_one(OptionList)
        if by > 0:
            lines.action_cursor_down()
        else:
            lines.action_cursor_up()
