"""A table whose rows have keys: what changed is changed in place, and the cursor stays on its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

Cells = Sequence[Text]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its key, and a text for each column."""

    key: str
    cells: Cells


class Rows(DataTable[Text]):
    """A DataTable with the keys of vim."""

    BINDINGS = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "scroll_top", "Top", show=False),
        Binding("G", "scroll_bottom", "End", show=False),
        Binding("ctrl+d", "page_down", "Page down", show=False),
        Binding("ctrl+u", "page_up", "Page up", show=False),
    ]

    def __init__(self, columns: Sequence[str], *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, header_height=1, cell_padding=1)
        self._titles = tuple(columns)
        self._shown: dict[str, Cells] = {}
        for title in self._titles:
            self.add_column(Text(title), key=title)

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        keys = list(self._shown)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def put(self, rows: Sequence[Row]) -> None:
        """Show these rows in this order."""
        wanted = {row.key: row.cells for row in rows}
        if list(wanted) == list(self._shown):
            self._change(wanted)
        else:
            self._replace(wanted)
        self._shown = wanted

    def place(self, key: str) -> None:
        """Put the cursor on a row."""
        keys = list(self._shown)
        if key in keys:
            self.move_cursor(row=keys.index(key))

    def _change(self, wanted: dict[str, Cells]) -> None:
        for key, cells in wanted.items():
            for title, old, new in zip(self._titles, self._shown[key], cells, strict=True):
                if old != new:
                    self.update_cell(key, title, new, update_width=len(new) > len(old))

    def _replace(self, wanted: dict[str, Cells]) -> None:
        current, row = self.current, self.cursor_row
        with self.app.batch_update():
            self.clear()
            for key, cells in wanted.items():
                self.add_row(*cells, key=key)
            keys = list(wanted)
            self.move_cursor(row=keys.index(current) if current in wanted else min(max(row, 0), max(len(keys) - 1, 0)))
