"""The answer to a query: columns and rows of whatever the warehouse holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.binding import Binding
from textual.widgets import DataTable

from dataflow_tui.signs import Look
from dataflow_tui.text import cell, number, one_line

if TYPE_CHECKING:
    from dataflow.operations.data import QueryResult

_WIDE = 60


class Grid(DataTable[Text]):
    """A table of values, moved in with the keys of vim too."""

    BINDINGS = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("h", "cursor_left", "Left", show=False),
        Binding("l", "cursor_right", "Right", show=False),
        Binding("g", "scroll_top", "Top", show=False),
        Binding("G", "scroll_bottom", "End", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, cursor_type="cell", zebra_stripes=True)

    def put(self, result: QueryResult, look: Look) -> None:
        """Show an answer."""
        figures = [
            isinstance(value, (int, float)) and not isinstance(value, bool) for value in (result.rows or ((),))[0]
        ]
        with self.app.batch_update():
            self.clear(columns=True)
            for place, (name, kind) in enumerate(zip(result.columns, result.types, strict=True)):
                title = Text.assemble((one_line(name, _WIDE), "bold"), (f" {one_line(kind, 20).lower()}", look.quiet))
                self.add_column(title, key=str(place))
            for row in result.rows:
                self.add_row(
                    *(
                        number(value) if figure else cell(value, most=_WIDE)
                        for figure, value in zip(figures, row, strict=True)
                    )
                )
