"""Logs: what services and runs write, as it comes. The question is that of `dataflow logs`, word for word."""

from __future__ import annotations

import re
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from dataflow.errors import DataflowError
from dataflow_tui import programs
from dataflow_tui.feeds import Trouble
from dataflow_tui.log_ask import query_of, read_ask, write_ask
from dataflow_tui.log_buffer import LogBuffer, unpacked, whole
from dataflow_tui.log_histogram import Histogram
from dataflow_tui.log_search import Search
from dataflow_tui.log_stream import Stream
from dataflow_tui.prose import fields, trouble_text
from dataflow_tui.selection import LogAsk, Selection
from dataflow_tui.text import clean
from dataflow_tui.views.base import View
from dataflow_tui.widgets.bars import Bar
from dataflow_tui.widgets.log_view import LogView
from dataflow_tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from dataflow.operations.status import StatusResult

_ALL = 1 << 40  # characters of a line: none is cut
_WIDE = 100  # cells from which there is room for the histogram
_LEVELS: tuple[str | None, ...] = (None, "info", "warning", "error")
_FLUSH = 0.1  # seconds for which lines are gathered before they are shown
_RETRY = 3.0  # seconds after which a source that went away is asked again


class Logs(View):
    """The lines, what is asked for above them, and how many there are below."""

    NAME = "logs"
    FEEDS = ("status",)
    HOME = "#lines"

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.buffer = LogBuffer()
        self._asked = LogAsk()
        self._stream: Stream | None = None
        self._search = Search(self.buffer)
        self._histogram = Histogram()
        self._trouble: Trouble | None = None
        self._flushing = False

    def compose(self) -> ComposeResult:
        """One large pane."""
        with Vertical(id="log-panel", classes="panel") as panel:
            panel.border_title = "Logs"
            yield Static("", markup=False, id="log-note")
            yield LogView(self.buffer, id="lines")
            yield Bar(id="log-state")
        yield Prompt(id="log-prompt")

    def on_mount(self) -> None:
        """Begin to listen."""
        self._lines.dress(self.look)

    def shown(self) -> None:
        """Begin to listen, once somebody looks."""
        if self._stream is None:
            self._listen()

    def on_unmount(self) -> None:
        """Stop listening."""
        if self._stream:
            self._stream.close()

    @property
    def chosen(self) -> Selection:
        """The line under the cursor, and the question."""
        return Selection(line=self._lines.current, logs=self._asked, search=self._search.text or None)

    def dress(self) -> None:
        """Another theme."""
        self._lines.dress(self.look)
        self._show_state()

    def ask(self, asked: LogAsk) -> None:
        """Ask another question."""
        self._asked = asked
        self._listen()
        self.desk.show_keys()

    def toggle(self) -> None:
        """Follow, or stay here."""
        self._lines.follow(not self._lines.following)

    def open_search(self) -> None:
        """Type what to find."""
        self.query_one(Prompt).ask("search", "Find: a text or a regular expression", self._search.text)

    def open_filter(self) -> None:
        """Type the arguments of `dataflow logs`."""
        text = write_ask(self._asked)
        self.query_one(Prompt).ask("filter", "dataflow logs … [SERVICE] --level --grep --exclude --run --since", text)

    def next_level(self) -> None:
        """A narrower level, then all again."""
        after = dict(pairwise((*_LEVELS, None)))
        self.ask(self._asked.but(level=after.get(self._asked.level)))

    def next_service(self) -> None:
        """The next service, then all again."""
        status: StatusResult | None = self.feed("status").value
        names = [one.name for one in status.services if one.state != "unavailable"] if status else []
        now = self._asked.services[0] if self._asked.services else None
        after: dict[str | None, str | None] = dict(pairwise((None, *names, "worker", None)))
        chosen = after.get(now)
        self.ask(self._asked.but(services=(chosen,) if chosen else ()))

    def clear(self) -> None:
        """Everything, and no search."""
        self._find("")
        self.ask(LogAsk())

    def jump(self, by: int) -> None:
        """To the next or previous line found."""
        number = self._search.after(self._lines.cursor, by)
        if number is None:
            self.desk.tell(f"Nothing holds “{self._search.text}”.")
        else:
            self._lines.go(number)

    def details(self) -> None:
        """Everything about the line under the cursor."""
        current = self._lines.current
        if current:
            pairs: list[tuple[str, Text | str]] = [*whole(current)]
            self.desk.read("Line", fields(pairs, self.look))

    def copy_line(self) -> None:
        """Copy the message of the line."""
        current = self._lines.current
        if current:
            self.desk.copy(dict(whole(current))["message"])

    def export(self) -> None:
        """Write what is here to a file beside the project."""
        self.desk.save("logs.txt", self._written())

    def page(self) -> None:
        """Read what is here in the pager."""
        with tempfile.TemporaryDirectory(prefix="dataflow-") as folder:
            path = Path(folder) / "logs.txt"
            path.write_text(self._written(), encoding="utf-8")
            self.desk.lend(lambda: programs.page(path))

    def _written(self) -> str:
        texts = [unpacked(line) for _, part in self.buffer.slices() for line in part]
        return "".join(
            f"{one.time.isoformat()} {one.level:<8} {one.service} {clean(one.text, _ALL)}\n" for one in texts
        )

    def back(self) -> bool:
        """Put the line to type in away, else the search."""
        prompt = self.query_one(Prompt)
        if prompt.display:
            prompt.display = False
            self._lines.focus()
            return True
        if self._search.text:
            self._find("")
            return True
        return False

    def keep(self) -> dict[str, Any]:
        """The question."""
        return {"ask": write_ask(self._asked)}

    def restore(self, kept: dict[str, Any]) -> None:
        """The question of the last time; one that cannot be read is forgotten."""
        try:
            self._asked = read_ask(str(kept.get("ask", "")))
        except DataflowError:
            self._asked = LogAsk()
        if self._stream:
            self._listen()

    def on_prompt_given(self, message: Prompt.Given) -> None:
        """Search, or ask another question."""
        self._lines.focus()
        if message.purpose == "search":
            self._find(message.text)
            return
        try:
            asked = read_ask(message.text)
            query_of(asked)
        except DataflowError as error:
            self.desk.tell(f"{error.message} {error.hint or ''}".strip(), "error")
            return
        self.ask(asked)

    def on_log_view_moved(self) -> None:
        """The cursor or the end moved."""
        self._show_state()

    def on_stream_news(self, message: Stream.News) -> None:
        """Lines have come: gather for a moment, then show them all at once."""
        if message.stream is self._stream and not self._flushing:
            self._flushing = True
            self.set_timer(_FLUSH, self._flush)

    def on_stream_ended(self, message: Stream.Ended) -> None:
        """The source went away: say so, and ask again."""
        if message.stream is not self._stream:
            return
        self._flush()
        self._trouble = Trouble.of(message.error) if message.error else None
        self._show_state()
        if self._trouble and not self._trouble.code.endswith(("_UNKNOWN", "_INVALID")):
            self.set_timer(_RETRY, self._again)

    @property
    def _lines(self) -> LogView:
        return self.query_one("#lines", LogView)

    def _listen(self) -> None:
        if self._stream:
            self._stream.close()
        self._trouble = None
        self._lines.empty()
        self._histogram.clear()
        self._search.restart()
        try:
            query = query_of(self._asked)
        except DataflowError as error:
            self._trouble = Trouble.of(error)
            self._show_state()
            return
        platform = self.desk.platform
        self._stream = Stream(lambda over: platform.follow_logs(query, over), self)
        self._stream.start()
        self._show_state()

    def _again(self) -> None:
        if self._trouble is not None:
            self._listen()

    def _flush(self) -> None:
        self._flushing = False
        lines = self._stream.drain() if self._stream else []
        if lines:
            self._trouble = None
            self._lines.take(lines)
            self._histogram.add(lines)
            self._search.extend()
            self._show_state()

    def _find(self, text: str) -> None:
        pattern: re.Pattern[str] | None = self._search.begin(text)
        self._lines.pattern = pattern
        self._lines.forget()
        self._show_state()
        if text:
            self.run_worker(self._count(), group="search", exclusive=True)

    async def _count(self) -> None:
        """Search slice by slice; the first hit is shown as soon as it is known."""
        shown = False
        async for _ in self._search.run():
            self._show_state()
            if not shown and (number := self._search.after(self._lines.buffer.end, -1)) is not None:
                shown = True
                self._lines.go(number)
        if self._search.hits and (number := self._search.after(self._lines.buffer.end, -1)) is not None:
            self._lines.go(number)
        self.desk.show_keys()

    def _show_state(self) -> None:
        note = self.query_one("#log-note", Static)
        empty = not len(self.buffer)
        if note.display != (self._trouble is not None or empty):
            note.display = not note.display
        if self._trouble is not None:
            again = Text("\nIt is asked again by itself; R asks now.", self.look.quiet)
            note.update(trouble_text(self._trouble, self.look) + again)
        elif empty:
            note.update(Text("◐ No lines yet. c asks for everything.", self.look.quiet))
        self.query_one("#log-state", Bar).put(self._state_line())

    def _state_line(self) -> Text:
        look, view = self.look, self._lines
        mode = Text("● following", look.good) if view.following else Text(f"‖ here, {view.unseen:,} new: f", look.warn)
        asked = write_ask(self._asked) or "everything"
        parts = [mode, Text(f"{len(self.buffer):,} lines", look.text), Text(f"asked: {asked}", look.accent)]
        if self._search.text:
            parts.append(Text(self._search.words(view.cursor), look.warn))
        if self.size.width >= _WIDE:
            parts.append(self._histogram.text(look))
        return Text("  ", no_wrap=True, overflow="ellipsis", end="").join(parts)
