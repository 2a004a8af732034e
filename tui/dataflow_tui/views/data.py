"""Data: the tables of the warehouse, and a look into them with SQL. One query at a time; it can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widgets import Static, TextArea

from dataflow.shared.cancelling import Cancel
from dataflow_tui.feeds import Trouble
from dataflow_tui.prose import trouble_text
from dataflow_tui.selection import Selection
from dataflow_tui.text import ago, cell, number, one_line
from dataflow_tui.views.base import View
from dataflow_tui.widgets.grid import Grid
from dataflow_tui.widgets.panel import Panel
from dataflow_tui.widgets.rows import Row, Rows

if TYPE_CHECKING:
    from dataflow.operations.browse import KnownTables
    from dataflow.operations.data import QueryResult

Ask = Callable[[Cancel], "QueryResult"]


class Editor(TextArea):
    """Where SQL is written. ctrl+r runs it, Escape leaves it."""

    BINDINGS = [Binding("ctrl+r", "app.perform('data.query')", "Run", show=False)]


class Data(View):
    """Tables on the left; the query and its answer on the right."""

    NAME = "data"
    FEEDS = ("tables",)
    HOME = "#tables"
    ENTER = ("tables",)

    class Answered(Message):
        """A query has ended."""

        def __init__(self, cancel: Cancel, result: Any = None, error: Exception | None = None) -> None:
            super().__init__()
            self.cancel = cancel
            self.result = result
            self.error = error

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._query: Cancel | None = None

    def compose(self) -> ComposeResult:
        """A list beside an editor above the answer."""
        with Container(classes="pair"):
            tables = Rows(("TABLE", "ROWS", "COMPUTED"), id="tables")
            empty = "The warehouse is empty: a workflow's run fills it (4, then x)."
            yield Panel("Tables", tables, id="table-list", empty=empty)
            with Vertical(classes="column"):
                editor = Editor("", id="sql", tab_behavior="focus", soft_wrap=True, placeholder="select …")
                yield Panel("SQL  (e writes, ctrl+r runs, it only reads)", editor, id="sql-panel")
                with Panel(
                    "Answer", [Static("", markup=False, id="answer-note"), Grid(id="answer")], id="answer-panel"
                ):
                    pass

    def on_mount(self) -> None:
        """Nothing was asked yet."""
        self._note(Text("Enter shows a table, e writes a query.", self.look.quiet))

    def show_feed(self, name: str) -> None:  # noqa: ARG002 - it has one feed
        """The tables."""
        found: KnownTables | None = self.feed("tables").value
        rows = [
            Row(
                one.name,
                (
                    cell(one.name, "bold"),
                    number(one.table.rows) if one.table.kind == "table" else Text("view", self.look.quiet),
                    cell(ago(one.computed) if one.computed else None, self.look.quiet),
                ),
            )
            for one in (found.tables if found else ())
        ]
        self.query_one("#tables", Rows).put(rows)
        self.say("table-list", "tables", filled=bool(rows))
        panel = self.query_one("#table-list", Panel)
        panel.border_subtitle = f"snapshot of {ago(found.as_of)}" if found and found.stale else ""

    def on_data_table_row_highlighted(self) -> None:
        """Another table is under the cursor."""
        self.desk.show_keys()

    @property
    def chosen(self) -> Selection:
        """The table under the cursor, and the query in the editor."""
        table, sql = self.query_one("#tables", Rows).current, self.query_one("#sql", TextArea).text.strip()
        return Selection(table=table, sql=sql or None, querying=self._query is not None)

    def edit(self) -> None:
        """Write a query."""
        self.query_one("#sql", TextArea).focus()

    def answer(self, what: str, ask: Ask) -> None:
        """Ask in a thread; a query that runs already is cancelled."""
        self.cancel()
        cancel = self._query = Cancel()
        self._note(Text(f"◐ Asking for {one_line(what, 80)} … Esc cancels", self.look.busy))

        def carry_out() -> None:
            try:
                result = ask(cancel)
            except Exception as error:  # noqa: BLE001 - whatever a query ends with is shown
                self.post_message(self.Answered(cancel, error=error))
            else:
                self.post_message(self.Answered(cancel, result=result))

        threading.Thread(target=carry_out, name="query", daemon=True).start()
        self.desk.show_keys()

    def cancel(self) -> None:
        """End the query that runs."""
        if self._query is not None:
            running, self._query = self._query, None
            threading.Thread(target=running.insist, name="cancel", daemon=True).start()
            self._note(Text("⊘ Cancelled.", self.look.warn))
            self.desk.show_keys()

    def on_data_answered(self, message: Answered) -> None:
        """Show the answer, unless somebody has asked something else meanwhile."""
        if message.cancel is not self._query:
            return
        self._query = None
        if message.error is not None:
            self._note(trouble_text(Trouble.of(message.error), self.look))
        else:
            self._show(message.result)
        self.desk.show_keys()

    def back(self) -> bool:
        """Cancel the query, else leave the editor."""
        if self._query is not None:
            self.cancel()
            return True
        if self.query_one("#sql").has_focus or self.query_one("#answer").has_focus:
            self.take_focus()
            return True
        return False

    def typing_keys(self) -> list[tuple[str, str, str]]:
        """In the editor."""
        return [("ctrl+r", "Run SQL", "data.query"), ("Esc", "Leave the editor", "back")]

    def keep(self) -> dict[str, Any]:
        """The query."""
        return {"sql": self.query_one("#sql", TextArea).text}

    def restore(self, kept: dict[str, Any]) -> None:
        """The query of the last time."""
        self.query_one("#sql", TextArea).text = str(kept.get("sql", ""))

    def _note(self, text: Text) -> None:
        self.query_one("#answer-note", Static).update(text)

    def _show(self, result: QueryResult) -> None:
        rows = f"{len(result.rows):,} row{'' if len(result.rows) == 1 else 's'}"
        more = " (there are more: E exports all of them)" if result.truncated else ""
        old = f", snapshot of {ago(result.as_of)}: a run holds the warehouse" if result.stale else ""
        self._note(Text(f"✓ {rows}{more} in {result.seconds:.2f} s{old}", self.look.quiet))
        self.query_one("#answer", Grid).put(result, self.look)
