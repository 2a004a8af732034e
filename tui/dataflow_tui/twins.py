"""The commands of the command line that do what an action does."""

from __future__ import annotations

from collections.abc import Iterator

from dataflow_tui.commands.model import Command
from dataflow_tui.commands.registry import EVERYWHERE, here
from dataflow_tui.selection import Selection

_ITSELF = {"back", "help", "palette", "twin", "theme", "messages"}
"""Actions that are about the dashboard itself: nobody wants to copy their commands."""


def twin_of(command: Command, chosen: Selection) -> str:
    """The command that does the same; empty while what it is about is not chosen."""
    if command.needs and getattr(chosen, command.needs) is None:
        return ""
    return command.twin(chosen)


def twins_of(view: str, chosen: Selection) -> Iterator[tuple[Command, str]]:
    """Every action that has one now, those of the view first."""
    seen: set[str] = set()
    for command in (*here(view), *EVERYWHERE):
        twin = twin_of(command, chosen)
        if twin and twin not in seen and command.id not in _ITSELF:
            seen.add(twin)
            yield command, twin
