"""What can be done with tables and queries. Queries only read."""

from __future__ import annotations

import shlex
from pathlib import Path

from dataflow_tui.commands.model import Command, Desk
from dataflow_tui.screens.form import Field
from dataflow_tui.selection import Selection
from dataflow_tui.work import Work


def _table(chosen: Selection) -> str:
    if chosen.table is None:
        raise AssertionError("an action on a table without one")
    return chosen.table


def _preview(desk: Desk) -> None:
    table = _table(desk.chosen)
    desk.go("data").answer(table, lambda cancel: desk.platform.preview(table, cancel))


def _profile(desk: Desk) -> None:
    table = _table(desk.chosen)
    desk.go("data").answer(f"columns of {table}", lambda cancel: desk.platform.profile(table, cancel))


def _query(desk: Desk) -> None:
    sql = desk.chosen.sql or ""
    desk.go("data").answer("the query", lambda cancel: desk.platform.query(sql, cancel))


def _export(desk: Desk) -> None:
    chosen = desk.chosen
    what = chosen.sql or _table(chosen)
    name = "query" if chosen.sql else _table(chosen).replace(".", "-")
    field = Field("file", "string", f"{name}.csv", "A name that ends in .csv, .parquet, .json or .jsonl")

    def begin(values: tuple[str, ...]) -> None:
        path = Path(values[0].partition("=")[2] if values else f"{name}.csv")
        desk.begin(Work(f"export {path}", lambda _: desk.platform.export(what, path)))

    desk.fill(f"Export {name}", [field], None, begin)


def _nothing(chosen: Selection) -> str:
    return "" if chosen.sql or chosen.table else "Choose a table or write a query first."


def _export_twin(chosen: Selection) -> str:
    return f"dataflow data export {shlex.quote(chosen.sql or chosen.table or 'schema.table')} file.csv"


def _idle(chosen: Selection) -> str:
    return "" if chosen.querying else "No query runs."


COMMANDS: tuple[Command, ...] = (
    Command(
        "data.preview",
        "enter",
        "Preview",
        "Show the first rows of the table.",
        _preview,
        lambda chosen: f'dataflow data query "select * from {_table(chosen)}"',
        view="data",
        needs="table",
    ),
    Command(
        "data.profile",
        "p",
        "Columns",
        "Show statistics of each column: least, most, distinct values, nulls.",
        _profile,
        lambda chosen: f'dataflow data query "summarize {_table(chosen)}"',
        view="data",
        needs="table",
    ),
    Command(
        "data.edit",
        "e",
        "Edit SQL",
        "Write a query; Escape leaves the editor.",
        lambda desk: desk.go("data").edit(),
        lambda chosen: f"dataflow data query {shlex.quote(chosen.sql or 'select 1')}",
        view="data",
    ),
    Command(
        "data.query",
        "x",
        "Run SQL",
        "Run the query; inside the editor ctrl+r.",
        _query,
        lambda chosen: f"dataflow data query {shlex.quote(chosen.sql or '')}",
        view="data",
        needs="sql",
    ),
    Command(
        "data.cancel",
        "c",
        "Cancel",
        "Cancel the query that runs. So does Escape.",
        lambda desk: desk.go("data").cancel(),
        lambda chosen: f"dataflow data query {shlex.quote(chosen.sql or 'select 1')}",
        view="data",
        unless=_idle,
        footer=False,
    ),
    Command(
        "data.export",
        "E",
        "Export",
        "Write the query's whole answer, or the table, to a file.",
        _export,
        _export_twin,
        view="data",
        unless=_nothing,
    ),
)
