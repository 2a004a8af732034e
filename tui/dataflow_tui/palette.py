"""The command palette, fed by the registry: every action, with why it cannot be done where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider

from dataflow_tui.commands.model import Command
from dataflow_tui.commands.registry import ALL, EVERYWHERE, here, shown_key

if TYPE_CHECKING:
    from dataflow_tui.app import Dashboard


class Actions(Provider):
    """All actions; those of the view that is shown come first."""

    async def discover(self) -> Hits:
        """What can be done here, before anything is typed."""
        for command in (*here(self._desk.view), *EVERYWHERE):
            yield DiscoveryHit(_title(command), self._do(command), help=self._help(command))

    async def search(self, query: str) -> Hits:
        """What fits the words."""
        matcher = self.matcher(query)
        for command in self._ordered():
            title = _title(command)
            score = max(matcher.match(title), matcher.match(command.help) * 0.5)
            if score > 0:
                yield Hit(score, Text(title), self._do(command), text=title, help=self._help(command))

    @property
    def _desk(self) -> Dashboard:
        desk: Any = self.app
        return desk

    def _ordered(self) -> Iterator[Command]:
        first = here(self._desk.view)
        yield from first
        yield from (command for command in ALL if command not in first)

    def _do(self, command: Command) -> Any:
        return partial(self._desk.perform, command.id)

    def _help(self, command: Command) -> str:
        refusal = command.refusal(self._desk.chosen, read_only=self._desk.read_only)
        return escape(f"{command.help}  (not now: {refusal})" if refusal else command.help)


def _title(command: Command) -> str:
    where = f"{command.view}: " if command.view else ""
    return f"{where}{command.label}  [{shown_key(command.key)}]".replace("[", "(").replace("]", ")")
