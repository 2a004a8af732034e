"""Tables and rows, for people."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dataflow.cli.tables import ago, count, decimals, size, table
from dataflow.cli.tables import value as word
from dataflow.cli.views.logs import printable

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.data import FileWritten, Ingested, QueryResult, TableList


_WIDEST = 60
_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*|NUMBER")


def show_tables(console: Console, result: TableList) -> None:
    """Every table and view."""
    if not result.tables:
        console.print("The warehouse is empty. Run a workflow to fill it: `dataflow workflow list`.")
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
        ("#" if _NUMERIC.fullmatch(kind.upper()) else "") + name
        for name, kind in zip(result.columns, result.types, strict=True)
    ]
    rows = _rows(result.rows)
    shown = _fitting(console.width, columns, rows)
    if columns:
        table(console, columns[:shown], [row[:shown] for row in rows])
    cut = f" (--limit {len(result.rows)})" if result.truncated else ""
    console.print(f"{count(len(result.rows), 'row')} in {result.seconds:.2f} s{cut}")
    if shown < len(columns):
        left = ", ".join(result.columns[shown:])
        console.print(f"{count(len(columns) - shown, 'column')} did not fit: {left}")
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


def _rows(rows: tuple[tuple[Any, ...], ...]) -> list[tuple[str, ...]]:
    """The cells as text; the floats of a column have the same number of decimals."""
    return list(zip(*(_column(column) for column in zip(*rows, strict=True)), strict=True))


def _fitting(width: int, columns: list[str], rows: list[tuple[str, ...]]) -> int:
    """How many of the first columns fit side by side; one at least."""
    from rich.cells import cell_len

    for index, column in enumerate(columns):
        cells = (column.removeprefix("#"), *(row[index] for row in rows))
        width -= max(map(cell_len, cells)) + (2 if index else 0)
        if width < 0:
            return max(index, 1)
    return len(columns)


def _column(column: tuple[Any, ...]) -> list[str]:
    floats = iter(decimals([cell for cell in column if isinstance(cell, float)]))
    return [next(floats) if isinstance(cell, float) else _cell(cell) for cell in column]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = printable(word(value)).replace("\n", " ")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
