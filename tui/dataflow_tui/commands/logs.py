"""What can be done with logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataflow_tui.commands.model import Command, Desk
from dataflow_tui.log_ask import write_ask
from dataflow_tui.selection import Selection


def _twin(more: str = "") -> Callable[[Selection], str]:
    return lambda chosen: " ".join(f"dataflow logs {write_ask(chosen.logs)} {more}".split())


def _on_view(run: Callable[[Any], object]) -> Callable[[Desk], None]:
    def call(desk: Desk) -> None:
        run(desk.go("logs"))

    return call


def _search_twin(chosen: Selection) -> str:
    """What finds the same from the command line: there a search is a filter."""
    return f"dataflow logs {write_ask(chosen.logs.but(grep=chosen.search or chosen.logs.grep))}".strip()


def _no_search(chosen: Selection) -> str:
    return "" if chosen.search else "Search for something first: /."


def _command(
    key: str,
    name: str,
    label: str,
    words: str,
    run: Callable[[Any], object],
    twin: Callable[[Selection], str] | None = None,
    **rest: Any,
) -> Command:
    return Command(f"logs.{name}", key, label, words, _on_view(run), twin or _twin(), view="logs", **rest)


_FILTER = "Ask as `dataflow logs` does: SERVICE --level warn --grep RE --run ID --since 1h …"
_LEVEL = "Only lines of the next level and above: info, warning, error."
_MORE: dict[str, Any] = {"twin": _search_twin, "unless": _no_search, "footer": False}
_FOUND = "Find a text or a regular expression in the lines."
COMMANDS: tuple[Command, ...] = (
    _command(
        "f", "follow", "Follow", "Stay at the newest line, or stay here.", lambda it: it.toggle(), _twin("--follow")
    ),
    _command("slash", "search", "Search", _FOUND, lambda it: it.open_search(), _search_twin),
    _command("n", "next", "Next", "Go to the next line found.", lambda it: it.jump(1), **_MORE),
    _command("N", "previous", "Previous", "Go to the one before.", lambda it: it.jump(-1), **_MORE),
    _command("ampersand", "filter", "Filter", _FILTER, lambda it: it.open_filter()),
    _command("v", "level", "Level", _LEVEL, lambda it: it.next_level()),
    _command("s", "service", "Service", "Only the next service, then all again.", lambda it: it.next_service()),
    _command("c", "clear", "All", "Ask for everything again.", lambda it: it.clear()),
    _command("enter", "line", "Line", "Show everything about the line.", lambda it: it.details(), needs="line"),
    _command("Y", "copy", "Copy line", "Copy the line.", lambda it: it.copy_line(), needs="line", footer=False),
    _command("p", "pager", "Pager", "Read the lines in the pager: $PAGER.", lambda it: it.page(), _twin("--raw")),
    _command(
        "E", "export", "Export", "Write the lines to logs.txt.", lambda it: it.export(), _twin("--raw"), footer=False
    ),
)
