"""All actions, by their names and by their keys."""

from __future__ import annotations

from dataflow_tui.commands import alerts, data, everywhere, logs, overview, services, workflows
from dataflow_tui.commands.model import Command

EVERYWHERE: tuple[Command, ...] = everywhere.COMMANDS
ALL: tuple[Command, ...] = (
    *EVERYWHERE,
    *overview.COMMANDS,
    *services.COMMANDS,
    *logs.COMMANDS,
    *workflows.COMMANDS,
    *data.COMMANDS,
    *alerts.COMMANDS,
)
BY_ID: dict[str, Command] = {command.id: command for command in ALL}
MOVES: tuple[tuple[str, str], ...] = (
    ("↑ ↓ or k j", "One row or line up or down"),
    ("PgUp PgDn or ctrl+u ctrl+d", "A page up or down"),
    ("Home End or g G", "To the first or last row; in the logs the end also follows"),
    ("← → or h", "Sideways, where a line is longer than the screen"),
    ("Tab, shift+Tab", "To the next or previous panel"),
    ("Mouse", "Click a view, a key of the last line, a row or a panel; the wheel scrolls"),
)
_SIGNS = {"question_mark": "?", "colon": ":", "slash": "/", "ampersand": "&", "escape": "Esc", "enter": "Enter"}


def here(view: str) -> tuple[Command, ...]:
    """The actions of one view."""
    return tuple(command for command in ALL if command.view == view)


def of_key(key: str, view: str) -> Command | None:
    """What a key does in a view."""
    return next((one for one in (*here(view), *EVERYWHERE) if one.key == key), None)


def shown_key(key: str) -> str:
    """A key as people read it."""
    return _SIGNS.get(key, key)
