"""The dashboard: one screen whose middle is one of six views. It routes keys and answers; the rest is elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.events import AppBlur, AppFocus
from textual.message import Message
from textual.widgets import ContentSwitcher, DataTable, Input, TextArea

from dataflow.system.files import write_text
from dataflow_tui import session
from dataflow_tui.commands.everywhere import VIEWS
from dataflow_tui.commands.registry import ALL, BY_ID, EVERYWHERE, here, of_key, shown_key
from dataflow_tui.feeds import Answer, Puller, Trouble
from dataflow_tui.palette import Actions
from dataflow_tui.platform import Platform
from dataflow_tui.prose import trouble_text
from dataflow_tui.screens.choose import Choose
from dataflow_tui.screens.confirm import Confirm
from dataflow_tui.screens.help import HelpScreen
from dataflow_tui.screens.text import TextScreen
from dataflow_tui.selection import Selection
from dataflow_tui.signs import Look
from dataflow_tui.sources import feeds_of
from dataflow_tui.text import cell, clean
from dataflow_tui.themes import DARK, THEMES, look_of
from dataflow_tui.twins import twins_of
from dataflow_tui.views.alerts import Alerts
from dataflow_tui.views.base import View
from dataflow_tui.views.data import Data
from dataflow_tui.views.logs import Logs
from dataflow_tui.views.overview import Overview
from dataflow_tui.views.services import Services
from dataflow_tui.views.workflows import Workflows
from dataflow_tui.widgets.bars import Bar, head, keys, tabs
from dataflow_tui.widgets.work_panel import WorkPanel, work_text
from dataflow_tui.windows import Windows
from dataflow_tui.work import Told, Work, begin

_MADE: dict[str, type[View]] = {made.NAME: made for made in (Overview, Services, Logs, Workflows, Data, Alerts)}
_FIRST = ("help", "palette", "quit")  # the keys that a narrow footer must not lose


class Dashboard(Windows):
    """What a person sees of a platform, and what they do with it."""

    CSS_PATH = "app.tcss"
    TITLE = "dataflow"
    COMMANDS: ClassVar[set[Any]] = {Actions}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]
    BINDINGS = [
        Binding("ctrl+c", "quit", show=False, system=True),
        *(Binding(key, f"press('{key}')", show=False) for key in dict.fromkeys(command.key for command in ALL)),
    ]

    class Answered(Message):
        """A feed's thread brings an answer."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    class Heard(Message):
        """Work tells of itself."""

        def __init__(self, told: Told) -> None:
            super().__init__()
            self.told = told

    def __init__(
        self,
        platform: Platform,
        *,
        read_only: bool = False,
        view: str | None = None,
        theme: str | None = None,
        kept: Path | None = None,
    ) -> None:
        super().__init__()
        self.platform = platform
        self.read_only = read_only
        self.work: Work | None = None
        self.wanted_run: str | None = None
        self.feeds = feeds_of(platform, lambda: self.wanted_run)
        self._kept_at = kept
        self._kept = session.load(kept)
        wanted = view or str(self._kept.get("view", ""))
        self.view = wanted if wanted in _MADE else "overview"
        self._puller = Puller(lambda answer: self.post_message(self.Answered(answer)))
        self._complete = asyncio.Event()
        for made in THEMES.values():
            self.register_theme(made)
        chosen = theme or str(self._kept.get("theme", ""))
        self.theme = chosen if chosen in THEMES else DARK.name

    def compose(self) -> ComposeResult:
        """Two lines above, the view, what work tells, a line of keys."""
        yield Bar(id="head")
        yield Bar(id="tabs")
        with ContentSwitcher(id="views", initial=self.view):
            yield _MADE[self.view](id=self.view)
        yield WorkPanel(id="work")
        yield Bar(id="keys")

    def on_mount(self) -> None:
        """Show the first view; make the others once it is on the screen."""
        self._show_edges()
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        self._enter(self.view)
        switcher = self.query_one("#views", ContentSwitcher)
        for name, made in _MADE.items():
            if not switcher.is_attached:
                return  # somebody has left already
            if name != self.view:
                view = made(id=name)
                view.display = False
                await switcher.mount(view)
        kept = self._kept.get("views")
        for name in _MADE:
            if isinstance(kept, Mapping) and isinstance(kept.get(name), dict):
                self.view_of(name).restore(kept[name])
        self._complete.set()
        self.show_keys()

    def view_of(self, name: str) -> Any:
        """A view by its name."""
        return self.query_one(f"#{name}", View)

    @property
    def look(self) -> Look:
        """The colours in use."""
        return look_of(self.current_theme)

    @property
    def chosen(self) -> Selection:
        """What is under the cursor."""
        working = self.work is not None and self.work.ended is None
        found: Selection = self.view_of(self.view).chosen
        return replace(found, working=working)

    # Keys and actions

    async def action_press(self, key: str) -> None:
        """A key was pressed that means something somewhere."""
        await self._complete.wait()
        command = of_key(key, self.view)
        if command is not None:
            self.perform(command.id)

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Something was clicked that stands for an action."""
        if self._complete.is_set():
            self.perform(message.command)

    def action_perform(self, command: str) -> None:
        """A text field has a key that stands for an action."""
        self.perform(command)

    def perform(self, name: str) -> None:
        """Do an action of the registry, or say why it cannot be done."""
        command = BY_ID[name]
        if command.view and command.view != self.view:
            self.go(command.view)
        refusal = command.refusal(self.chosen, read_only=self.read_only)
        if refusal:
            self.tell(refusal, "warning")
        elif command.asks is not None:
            question = Confirm(clean(command.asks(self.chosen)), clean(command.twin(self.chosen)))
            self.push_screen(question, lambda yes: command.run(self) if yes else None)
        else:
            command.run(self)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter, or a second click, on a row."""
        command = of_key("enter", self.view)
        if command is not None and event.data_table.id in _MADE[self.view].ENTER:
            self.perform(command.id)

    def on_data_table_cell_selected(self, event: DataTable.CellSelected) -> None:
        """Enter on a value of an answer: all of it."""
        if isinstance(event.value, Text):
            self.read("Value", event.value)

    def on_descendant_focus(self) -> None:
        """Another panel has the keyboard."""
        self.show_keys()

    # What actions use

    def go(self, view: str) -> Any:
        """Show a view, and return it."""
        if view != self.view:
            self.view = view
            self.query_one("#views", ContentSwitcher).current = view
            self._enter(view)
        return self.view_of(view)

    def begin(self, work: Work) -> None:
        """Start work in a thread."""
        self.work = work
        self.query_one(WorkPanel).show(work, self.look)
        begin(work, lambda told: self.post_message(self.Heard(told)))
        self.show_keys()

    def fetch(self, title: str, ask: Callable[[], Any], show: Callable[[Any], Text]) -> None:
        """Ask something in a thread, and show what comes as a text."""
        screen = TextScreen(clean(title, 200), None, self.copy)
        self.push_screen(screen)
        asked = Work(title, lambda _: ask(), lambda found: screen.put(show(found)), quiet=True)

        def end(told: Told) -> None:
            self.post_message(self.Heard(told))

        asked.failed = lambda trouble: screen.put(trouble_text(trouble, self.look))
        begin(asked, end)

    def wake(self, *names: str) -> None:
        """Ask feeds at once, all that are shown where none is named."""
        if self._complete.is_set():
            self.wanted_run = self.view_of("workflows").wanted_run
        self._puller.wake(names)

    def save(self, name: str, text: str) -> None:
        """Write a file where the dashboard was started."""
        path = Path.cwd() / name
        self.begin(Work(f"write {path}", lambda _: write_text(path, text)))

    def show_help(self) -> None:
        """Show what can be done here."""
        self.push_screen(HelpScreen(self.view, self.chosen, self.look, read_only=self.read_only))

    def show_twins(self) -> None:
        """Show the commands that do the same, to copy one."""
        found = list(twins_of(self.view, self.chosen))
        lines = [
            Text.assemble((f"{one.label:<14}", self.look.quiet), cell(twin, self.look.accent)) for one, twin in found
        ]
        screen = Choose("The same on the command line", lines)
        self.push_screen(screen, lambda place: None if place is None else self.copy(found[place][1]))

    def show_work(self) -> None:
        """Show what the last work told."""
        if self.work is None:
            self.tell("Nothing was done yet.")
        else:
            self.read(self.work.title, work_text(self.work, self.look, most=500))

    def next_theme(self) -> None:
        """Use the next theme."""
        names = list(THEMES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else DARK.name
        for view in self.query(View):
            view.dress()
        self._show_edges()

    def back(self) -> None:
        """Leave what is open: a text field, a query that runs, a message."""
        panel = self.query_one(WorkPanel)
        if self.view_of(self.view).back():
            return
        if panel.display:
            panel.display = False
        else:
            self.view_of(self.view).take_focus()

    def leave(self) -> None:
        """End the dashboard; the platform goes on."""
        if self._complete.is_set():
            views = {view.NAME: view.keep() for view in self.query(View)}
            session.save(self._kept_at, {"view": self.view, "theme": self.theme, "views": views})
        self._puller.close()
        self.exit()

    async def action_quit(self) -> None:
        """ctrl+q does what q does."""
        self.leave()

    # Answers

    def on_dashboard_answered(self, message: Answered) -> None:
        """A feed has an answer, or trouble."""
        answer = message.answer
        self.feeds[answer.feed].take(answer)
        if not self._open:
            return
        if self._complete.is_set() or answer.feed in _MADE[self.view].FEEDS:
            view = self.view_of(self.view)
            if answer.feed in view.FEEDS:
                view.show_feed(answer.feed)
        if answer.feed == "status":
            self._show_head()

    def on_dashboard_heard(self, message: Heard) -> None:
        """Work goes on, or has ended."""
        told = message.told
        if told.event is not None:
            told.work.hear(told.event)
        if told.over and self._open:
            told.work.end(told.error)
            self._end(told)
        if told.work is self.work and self._open:
            self.query_one(WorkPanel).show(told.work, self.look)

    def on_app_blur(self, _: AppBlur) -> None:
        """Nobody looks: ask less often."""
        self._puller.slow = True

    def on_app_focus(self, _: AppFocus) -> None:
        """Somebody looks again."""
        self._puller.slow = False
        self._puller.wake()

    def on_resize(self) -> None:
        """Another size: as many keys as fit."""
        self.call_after_refresh(self._show_edges)

    def show_keys(self) -> None:
        """Say which keys do something here."""
        if not self._complete.is_set() or len(self.screen_stack) > 1:
            return
        typing = isinstance(self.focused, Input | TextArea)
        hints = self.view_of(self.view).typing_keys() if typing else self._hints()
        self.query_one("#keys", Bar).put(keys(hints, self.look, self.size.width))

    def _hints(self) -> list[tuple[str, str, str]]:
        """Keys with what they do, the most important first."""
        chosen = self.chosen
        usable = [one for one in here(self.view) if one.footer and not one.refusal(chosen, read_only=self.read_only)]
        first = [BY_ID[name] for name in _FIRST]
        rest = [
            one for one in EVERYWHERE if one.footer and one.id not in _FIRST and not (one.changes and self.read_only)
        ]
        return [(shown_key(one.key), one.label, one.id) for one in (*first, *usable, *rest)]

    def _enter(self, name: str) -> None:
        view = self.view_of(name)
        self._puller.show(self.feeds[feed] for feed in dict.fromkeys(("status", *view.FEEDS)))
        view.shown()
        view.show_states()
        self.call_after_refresh(view.take_focus)
        self._show_edges()

    def _end(self, told: Told) -> None:
        if told.error is None:
            if told.work.then is not None:
                told.work.then(told.result)
            self.wake()
        elif told.work.failed is not None:
            told.work.failed(Trouble.of(told.error))
        self.show_keys()

    @property
    def _open(self) -> bool:
        """Whether there is still a screen: threads tell of themselves also while it is taken down."""
        return bool(self.screen_stack and self.screen_stack[0].query("#keys"))

    def _tick(self) -> None:
        if not self._open:
            return
        self._show_head()
        view = self.view_of(self.view)
        if any(self.feeds[name].state().kind != "ok" for name in view.FEEDS):
            view.show_states()
        if self.work is not None and self.work.ended is None:
            self.query_one(WorkPanel).show(self.work, self.look)

    def _show_head(self) -> None:
        feed = self.feeds["status"]
        marks = [mark for mark, on in (("DEMO", self.platform.demo), ("READ-ONLY", self.read_only)) if on]
        self.query_one("#head", Bar).put(head(self.platform.name, feed.value, feed.state(), self.look, marks=marks))

    def _show_edges(self) -> None:
        views = [(key, name, title) for key, name, title, _ in VIEWS]
        self.query_one("#tabs", Bar).put(tabs(views, self.view, self.look))
        self._show_head()
        self.show_keys()
