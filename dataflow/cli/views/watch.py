"""One look after the other at the same thing, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.cli.output import Output

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def watch(output: Output, looks: Iterator[T], show: Callable[[Console, T], None]) -> None:
    """Redraw in place in a terminal; elsewhere one look after the other, with --json a line for each."""
    if output.json or not output.console.is_terminal:
        for result in looks:
            output.item(result, show)
        return
    from rich.live import Live

    with Live(console=output.console, auto_refresh=False, screen=True) as live:
        for result in looks:
            live.update(_captured(output.console, result, show), refresh=True)


def _captured(console: Console, result: T, show: Callable[[Console, T], None]) -> Any:
    """A look as text, drawn on a console of its own: the live one redraws at every print."""
    import io

    from rich.console import Console as OwnConsole
    from rich.text import Text

    page = OwnConsole(
        file=io.StringIO(),
        force_terminal=True,
        no_color=console.no_color,
        width=console.width,
        highlight=False,
        markup=False,
    )
    with page.capture() as capture:
        show(page, result)
    return Text.from_ansi(capture.get())
