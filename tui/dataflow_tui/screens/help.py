"""Help, made from the registry: what can be done here first, then everywhere; and why something cannot be done now."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from dataflow_tui.commands.model import Command
from dataflow_tui.commands.registry import EVERYWHERE, MOVES, here, shown_key
from dataflow_tui.selection import Selection
from dataflow_tui.signs import Look
from dataflow_tui.text import clean
from dataflow_tui.twins import twin_of


def help_text(view: str, chosen: Selection, look: Look, *, read_only: bool, wanted: str = "") -> Text:
    """The page, or what of it holds a word."""
    text = Text()
    sections = ((f"In {view}", here(view)), ("Everywhere", EVERYWHERE))
    for title, commands in sections:
        found = [one for one in commands if wanted.lower() in f"{one.label} {one.help} {one.id}".lower()]
        if found:
            text.append(f"{title}\n", f"bold {look.accent}")
            text.append_text(_lines(found, chosen, look, read_only=read_only))
    moves = [(keys, words) for keys, words in MOVES if wanted.lower() in words.lower()]
    if moves:
        text.append("Moving\n", f"bold {look.accent}")
    for keys, words in moves:
        text.append(f"  {keys}", look.accent).append(f"  {words}\n", look.text)
    return text if text.plain else Text("Nothing here is called so.", look.quiet)


def _lines(commands: Iterable[Command], chosen: Selection, look: Look, *, read_only: bool) -> Text:
    text = Text()
    for command in commands:
        text.append(f"  {shown_key(command.key):<6}", f"bold {look.accent}")
        text.append(f"{command.label:<14}", f"bold {look.text}")
        twin = twin_of(command, chosen)
        text.append(f"$ {clean(twin)}\n" if twin else "\n", look.quiet)
        text.append(f"{'':8}{command.help}\n", look.text)
        refusal = command.refusal(chosen, read_only=read_only)
        text.append(f"{'':8}not now: {clean(refusal)}\n" if refusal else "", look.warn)
    text.append("\n")
    return text


class HelpScreen(ModalScreen[None]):
    """The keys of this view. Typing narrows them down."""

    BINDINGS = [
        Binding("escape", "dismiss", "Close"),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("pagedown", "scroll(15)", "Page down", show=False),
        Binding("pageup", "scroll(-15)", "Page up", show=False),
    ]

    def __init__(self, view: str, chosen: Selection, look: Look, *, read_only: bool) -> None:
        super().__init__()
        self._view = view
        self._chosen = chosen
        self._look = look
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """A field to search, and the page."""
        with Vertical(id="sheet") as sheet:
            sheet.border_title = "Help"
            sheet.border_subtitle = "type to search, ↑ ↓ scroll, Esc closes"
            yield Input(placeholder="Search in the help", id="search")
            with VerticalScroll(id="page", can_focus=False):
                yield Static(self._text(""), markup=False, id="text")

    def on_mount(self) -> None:
        """Typing searches at once."""
        self.query_one("#search", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the page down."""
        self.query_one("#text", Static).update(self._text(event.value))

    def action_scroll(self, by: int) -> None:
        """Some lines up or down."""
        self.query_one("#page").scroll_relative(y=by, animate=False)

    def _text(self, wanted: str) -> Text:
        return help_text(self._view, self._chosen, self._look, read_only=self._read_only, wanted=wanted)
