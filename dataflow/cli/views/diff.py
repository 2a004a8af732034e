"""What is not the same in two warehouses, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataflow.cli.tables import ago, count
from dataflow.cli.tables import value as word
from dataflow.cli.views.logs import printable

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.diff import DiffResult, Side, TableDiff
    from dataflow.operations.diff_rows import ColumnChange, RowChange

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"), "type": ("~", "yellow")}
_WIDEST = 40


def show_diff(console: Console, result: DiffResult) -> None:
    """Each table that differs, with its columns and a sample of its rows."""
    for one in result.tables:
        _line(console, one.change, f"{printable(one.table)}: {_summary(one)}")
        if one.change == "changed":
            for column in one.columns:
                _line(console, column.change, f"column {_column(column)}", indent=2)
        for row in one.sample:
            _line(console, row.change, _row(row), indent=2)
        left = one.added + one.removed + one.changed - sum(row.copies for row in one.sample)
        if one.sample and left > 0:
            console.print(f"    {count(left, 'row')} more (--limit N)")
    same = f"{count(len(result.same), 'table')} the same"
    console.print(f"{count(len(result.tables), 'difference')} in tables and views, {same}.")
    for side in (result.before, result.after):
        _note(console, side)


def _summary(one: TableDiff) -> str:
    """What became of it, in numbers."""
    if one.change != "changed":
        rows = one.rows_after if one.change == "added" else one.rows_before
        size = "" if rows is None else f", {count(rows, 'row')}"
        return f"{one.kind} {one.change}, {count(len(one.columns), 'column')}{size}"
    if one.kind == "view":
        return "view, defined otherwise"
    moved = [f"{number:,} {name}" for name in ("added", "removed", "changed") if (number := getattr(one, name))]
    rows = "" if one.rows_before is None else f"{one.rows_before:,} -> {one.rows_after:,} rows"
    key = f" (key {', '.join(one.key)})" if one.key else ""
    return ", ".join([rows, *(moved or ["rows the same"])]) + printable(key)


def _column(column: ColumnChange) -> str:
    kinds = [kind for kind in (column.before, column.after) if kind]
    return printable(f"{column.name} {' -> '.join(kinds)}")


def _row(row: RowChange) -> str:
    """Its key, and what changed or what it holds."""
    key = [f"{name}={_cell(value)}" for name, value in row.key.items()]
    if row.change == "changed" and row.before is not None and row.after is not None:
        rest = [f"{name} {_cell(row.before[name])} -> {_cell(row.after[name])}" for name in row.after]
    else:
        rest = [f"{name}={_cell(value)}" for name, value in (row.before or row.after or {}).items()]
    copies = f"  ({row.copies} times)" if row.copies > 1 else ""
    return "  ".join([*key, *rest]) + copies


def _cell(value: Any) -> str:
    text = "NULL" if value is None else printable(word(value)).replace("\n", " ")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _line(console: Console, change: str, text: str, *, indent: int = 0) -> None:
    from rich.text import Text

    sign, style = _SIGNS[change]
    console.print(Text.assemble(" " * indent, (sign, style), " ", text), soft_wrap=True)


def _note(console: Console, side: Side) -> None:
    if side.stale:
        console.print(f"A run holds {side.name}: it was read as of {ago(side.as_of)} ago.")
