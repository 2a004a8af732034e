"""What can be done from every view."""

from __future__ import annotations

from dataflow_tui.commands.model import Command, Desk, says
from dataflow_tui.prose import why_text
from dataflow_tui.selection import Selection
from dataflow_tui.work import Work

VIEWS = (
    ("1", "overview", "Overview", "dataflow status"),
    ("2", "services", "Services", "dataflow status"),
    ("3", "logs", "Logs", "dataflow logs"),
    ("4", "workflows", "Workflows", "dataflow workflow list"),
    ("5", "data", "Data", "dataflow data tables"),
    ("6", "alerts", "Alerts", "dataflow alerts list"),
)


def _subject(chosen: Selection) -> str:
    """What `why` is asked about: the thing under the cursor, by its name."""
    if chosen.run is not None:
        return chosen.run.id[:8]
    if chosen.service is not None:
        return chosen.service.name
    if chosen.problem:
        return chosen.problem
    return chosen.workflow.name if chosen.workflow is not None else ""


def _why(desk: Desk) -> None:
    name = _subject(desk.chosen)
    desk.fetch(f"Why {name or 'anything'}", lambda: desk.platform.why(name or None), lambda it: why_text(it, desk.look))


def _up(desk: Desk) -> None:
    desk.begin(Work("up", desk.platform.up, lambda _: desk.wake()))


def _down(desk: Desk) -> None:
    desk.begin(Work("down", desk.platform.down, lambda _: desk.wake()))


def _busy(chosen: Selection) -> str:
    return "Other work is going on: wait for its end." if chosen.working else ""


def _refresh(desk: Desk) -> None:
    desk.wake()
    desk.tell("Asking every source of this view again.")


def _go(key: str, name: str, title: str, twin: str) -> Command:
    words = f"Show the view {title}."
    return Command(f"go.{name}", key, title, words, lambda desk: desk.go(name), says(twin), footer=False)


COMMANDS: tuple[Command, ...] = (
    Command(
        "help",
        "question_mark",
        "Help",
        "Show what can be done here, and with which keys.",
        lambda desk: desk.show_help(),
        says("dataflow tui --help"),
    ),
    Command(
        "palette",
        "colon",
        "Actions",
        "Search for an action and do it. Also ctrl+p.",
        lambda desk: desk.show_palette(),
        says("dataflow --help"),
    ),
    *(_go(*view) for view in VIEWS),
    Command(
        "why",
        "w",
        "Why",
        "Show the root cause of what is wrong with what is chosen, or with anything.",
        _why,
        lambda chosen: f"dataflow why {_subject(chosen)}".strip(),
    ),
    Command(
        "up",
        "U",
        "Up",
        "Bring the platform up, and watch it come.",
        _up,
        says("dataflow up"),
        unless=_busy,
        changes=True,
    ),
    Command(
        "down",
        "D",
        "Down",
        "Take the platform down. Data, history and logs are kept.",
        _down,
        says("dataflow down"),
        unless=_busy,
        changes=True,
        asks=lambda _: "Take the whole platform down? Runs that are going on are cancelled; data is kept.",
    ),
    Command(
        "twin",
        "y",
        "Copy command",
        "Show the commands that do the same on the command line, and copy one.",
        lambda desk: desk.show_twins(),
        says("dataflow --help"),
    ),
    Command(
        "refresh",
        "R",
        "Refresh",
        "Ask every source of this view at once, also one that is down.",
        _refresh,
        says("dataflow status"),
        footer=False,
    ),
    Command(
        "messages",
        "m",
        "Messages",
        "Show everything that the last work told.",
        lambda desk: desk.show_work(),
        says("dataflow up --verbose"),
        footer=False,
    ),
    Command(
        "theme",
        "T",
        "Theme",
        "Use the next theme: dark, light, high contrast.",
        lambda desk: desk.next_theme(),
        says("dataflow tui --theme light"),
        footer=False,
    ),
    Command(
        "back",
        "escape",
        "Back",
        "Leave a text field, cancel a query that runs, put a message away.",
        lambda desk: desk.back(),
        says("dataflow tui"),
        footer=False,
    ),
    Command(
        "quit",
        "q",
        "Quit",
        "End the dashboard. The platform goes on.",
        lambda desk: desk.leave(),
        says("dataflow status"),
    ),
)
