"""An error for people: what happened, where, why, and the commands that help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.errors import DataflowError, Place

if TYPE_CHECKING:
    from rich.console import Console


def show_error(console: Console, error: DataflowError, *, verbose: bool) -> None:
    """Print `error`. With `verbose`, also the chain of what caused it."""
    from rich.text import Text

    console.print(Text.assemble(("error ", "bold red"), (f"{error.code}  ", "dim"), error.message), soft_wrap=True)
    if error.place:
        show_place(console, error.place)
    if error.hint:
        for line in error.hint.splitlines():
            console.print(Text(f"  {line}"), soft_wrap=True)
    for action in error.actions:
        console.print(Text.assemble(f"  {action.label}: ", (action.command, "bold cyan")), soft_wrap=True)
    if verbose:
        _show_causes(console, error)


def show_place(console: Console, place: Place) -> None:
    """The file and line, and the line itself with a mark under the column."""
    from rich.text import Text

    console.print(Text(f"  at {place}", "cyan"), soft_wrap=True)
    if place.snippet is None or place.line is None:
        return
    number = f"{place.line:>5} | "
    console.print(Text.assemble((number, "dim"), place.snippet[:200]), soft_wrap=True)
    if place.column and place.column <= len(place.snippet) + 1:
        console.print(Text(" " * (len(number) + place.column - 1) + "^", "bold red"), soft_wrap=True)


def _show_causes(console: Console, error: DataflowError) -> None:
    from rich.text import Text

    cause: Any = error.__cause__
    while cause is not None:
        console.print(Text(f"  caused by {type(cause).__name__}: {cause}", "dim"), soft_wrap=True)
        cause = cause.__cause__
