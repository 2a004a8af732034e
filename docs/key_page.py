# noqa: INP001 - a script beside the pages, not a package
"""The page of the dashboard's keys, from its registry of actions."""

from __future__ import annotations

from collections.abc import Iterable

from dataflow_tui.commands.everywhere import VIEWS
from dataflow_tui.commands.model import Command
from dataflow_tui.commands.registry import EVERYWHERE, MOVES, here, shown_key

_HEAD = """# Keys of the dashboard

What `dataflow tui` can do, and with which keys. Every action is also in the palette (`:`), those of the moment in the
last line, and `?` shows this page in the terminal, with why something cannot be done now. *Asks* means that it wants a
yes first. With `--read-only` what *changes* something is refused.
"""


def text() -> str:
    """The page."""
    parts = [_HEAD, "## Everywhere\n", _table(EVERYWHERE)]
    for _, name, title, _ in VIEWS:
        parts += [f"## {title}\n", _table(here(name))]
    moves = "\n".join(f"| {keys} | {words} |" for keys, words in MOVES)
    return "\n".join([*parts, "## Moving\n", f"| key | what it does |\n| --- | --- |\n{moves}\n"])


def _table(commands: Iterable[Command]) -> str:
    rows = [
        f"| `{shown_key(one.key)}` | {one.label} | {one.help} | "
        f"{', '.join(word for word, is_so in (('changes', one.changes), ('asks', one.asks)) if is_so)} |"
        for one in commands
    ]
    return "\n".join(["| key | action | what it does | |", "| --- | --- | --- | --- |", *rows, ""])
