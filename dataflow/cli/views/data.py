"""Tables and rows, for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataflow.cli.tables import ago, count, size, table
from dataflow.cli.views.stack import printable
from dataflow.operations.data import FileWritten, Ingested, QueryResult, TableList

if TYPE_CHECKING:
    from rich.console import Console

_WIDEST = 60
_NUMERIC = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "NUMBER", "BIGINT")


def show_tables(console: Console, result: TableList) -> None:
    """Every table and view."""
    if not result.tables:
        console.print("The warehouse is empty: `dataflow workflow run nightscout` fills it.")
        return
    rows = [
        (f"{t.schema}.{t.name}", t.kind, str(t.columns), "-" if t.rows is None else f"{t.rows:,}")
        for t in result.tables
    ]
    table(console, ["TABLE", "KIND", "#COLUMNS", "#ROWS"], rows)
    _note(console, stale=result.stale, as_of=result.as_of)


def show_rows(console: Console, result: QueryResult) -> None:
    """Rows of an answer."""
    columns = [
        ("#" if any(word in kind.upper() for word in _NUMERIC) else "") + name
        for name, kind in zip(result.columns, result.types, strict=True)
    ]
    if columns:
        table(console, columns, [[_cell(value) for value in row] for row in result.rows])
    more = ", more were left out: --limit" if result.truncated else ""
    console.print(f"{count(len(result.rows), 'row')} in {result.seconds:.2f} s{more}")
    _note(console, stale=result.stale, as_of=result.as_of)


def show_file(console: Console, result: FileWritten) -> None:
    """What was written."""
    console.print(f"{count(result.rows, 'row')}, {size(result.bytes)}: {result.path}", soft_wrap=True)
    _note(console, stale=result.stale, as_of=result.as_of)


def show_ingested(console: Console, result: Ingested) -> None:
    """What was loaded, and what was not."""
    console.print(f"{result.table}: {result.rows:,} rows read, {result.inserted:,} added, {result.updated:,} updated.")
    if result.quarantined:
        console.print(f"{result.quarantined:,} rows could not be read:")
        for reason in result.reasons:
            console.print(f"  {printable(reason)}", soft_wrap=True)


def _note(console: Console, *, stale: bool, as_of: datetime | None) -> None:
    if stale:
        console.print(f"A run holds the warehouse: this is the snapshot of {ago(as_of)} ago.")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = printable(f"{value:g}" if isinstance(value, float) else str(value)).replace("\n", " ")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
