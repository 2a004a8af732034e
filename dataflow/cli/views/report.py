"""A rendered report, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import ago, count, size, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.report import Rendered


def show_rendered(console: Console, result: Rendered) -> None:
    """What is in it, and where it is."""
    parts = [count(result.pages, "page"), count(result.charts, "chart"), size(result.bytes)]
    console.print(f"{', '.join(parts)} in {took(result.seconds)}: {result.path}", soft_wrap=True)
    if result.stale:
        console.print(f"A run holds the warehouse: this is the snapshot of {ago(result.as_of)} ago.")
