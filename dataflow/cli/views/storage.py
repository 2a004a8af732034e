"""Objects, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import ago, size, table

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.storage import Listing, Moved, Removed


def show_listing(console: Console, result: Listing) -> None:
    """Buckets or objects."""
    if not result.objects:
        console.print("Nothing there.")
        return
    rows = [(item.place, size(item.size), ago(item.modified)) for item in result.objects]
    table(console, ["PLACE", "#SIZE", "#AGO"], rows)
    if result.truncated:
        console.print("There is more: --limit")


def show_moved(console: Console, result: Moved) -> None:
    """What went where."""
    console.print(f"{result.place}  {size(result.bytes)}  {result.path}", soft_wrap=True)


def show_removed(console: Console, result: Removed) -> None:
    """What is gone."""
    console.print(
        f"Removed {len(result.places)} objects." if len(result.places) != 1 else f"Removed {result.places[0]}."
    )
