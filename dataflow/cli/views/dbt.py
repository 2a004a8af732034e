"""What dbt did, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import count, table, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.dbt import DbtDocs, DbtResult, MacroResult

_COLUMNS = 6


def show_result(console: Console, result: DbtResult) -> None:
    """The sum, and the warnings."""
    show_failures(console, result)
    if not result.nodes:
        console.print("Nothing to do: no node is selected.")
        return
    kinds = {
        kind: sum(node.kind == kind for node in result.nodes) for kind in dict.fromkeys(n.kind for n in result.nodes)
    }
    parts = ", ".join(count(number, kind) for kind, number in kinds.items())
    console.print(f"{', '.join(result.workflows)}: {parts}, all good, in {took(result.seconds)}.", soft_wrap=True)


def show_failures(console: Console, result: DbtResult) -> None:
    """Every node that failed or warns: why, where its SQL is, and some of the rows that a test found."""
    for node in result.nodes:
        if node.state not in ("failure", "warn"):
            continue
        console.print(f"\n{node.kind} {node.name}", style="bold", markup=False, soft_wrap=True)
        console.print(f"  {node.message}", markup=False, soft_wrap=True)
        if node.compiled:
            console.print(f"  its SQL: {node.compiled}", markup=False, soft_wrap=True)
        if node.sample:
            table(console, node.sample_columns[:_COLUMNS], [row[:_COLUMNS] for row in node.sample])
            if len(node.sample_columns) > _COLUMNS:
                console.print(f"and {count(len(node.sample_columns) - _COLUMNS, 'column')} more")


def show_docs(console: Console, made: DbtDocs) -> None:
    """Where the page is."""
    console.print(f"Written: {made.page}", soft_wrap=True)


def show_macro(console: Console, result: MacroResult) -> None:
    """What it logged."""
    for line in result.lines:
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"{result.macro} of {result.workflow} ran.")
