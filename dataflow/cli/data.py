"""`dataflow data`: look into the warehouse, and load files into it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from dataflow.cli import report, warehouses
from dataflow.cli.frame import new_app
from dataflow.cli.output import Output
from dataflow.cli.stack import context_of
from dataflow.errors import UsageError

_SCREENFUL = 100
_ALL = 2**62

app = new_app("data", "Look into the warehouse, and load files into it.")


@app.command()
def tables(ctx: typer.Context) -> None:
    """List tables and views.

    Example:
        $ dataflow data tables
    """
    from dataflow.cli.views.data import show_tables
    from dataflow.operations import data as operations

    output: Output = ctx.obj
    output.result(operations.tables(context_of(output)), show_tables)


@app.command()
def query(
    ctx: typer.Context,
    sql: Annotated[str, typer.Argument(help="One SQL statement; - reads it from stdin.")],
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="Rows. Default: 100; with --csv all.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV on stdout.")] = False,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="All rows into .parquet, .csv or .json.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over the --output file.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Allow the statement to change data.")] = False,
) -> None:
    """Ask the warehouse. Only reads, unless --write.

    While a run holds the warehouse the last published snapshot answers, and says so.

    Example:
        $ dataflow data query "select 42 as answer"

        $ dataflow data query "from marts.nightscout_daily limit 3" --json
    """
    from dataflow.cli.views.data import show_file, show_rows
    from dataflow.operations import data as operations

    output: Output = ctx.obj
    text = sys.stdin.read() if sql == "-" else sql
    if file:
        if write:
            raise UsageError("--output and --write exclude each other.")
        output.result(operations.export(context_of(output), text, file, replace=replace), show_file)
        return
    most = limit or (_ALL if as_csv else _SCREENFUL)
    result = operations.query(context_of(output), text, limit=most, write=write)
    if result.truncated:
        output.warn(f"There are more rows than these {most:,}: --limit N shows more, --output FILE keeps all.")
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(result.columns)
        writer.writerows(result.rows)
        return
    output.result(result, show_rows)


@app.command()
def export(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(help="A table, SCHEMA.TABLE.")],
    file: Annotated[Path, typer.Argument(help=".parquet, .csv, .json or .jsonl.")],
    replace: Annotated[bool, typer.Option("--replace", help="Write over the file.")] = False,
) -> None:
    """Write a table to a file, the whole file or nothing.

    Example:
        $ dataflow data export marts.nightscout_daily daily.parquet --replace
    """
    from dataflow.cli.views.data import show_file
    from dataflow.operations import data as operations

    output: Output = ctx.obj
    output.result(operations.export(context_of(output), table, file, replace=replace), show_file)


@app.command()
def ingest(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=".csv, .tsv, .json, .jsonl or .parquet, also .gz.")],
    into: Annotated[
        str, typer.Option("--into", metavar="TABLE", help="The table, SCHEMA.TABLE; made where there is none.")
    ],
    mode: Annotated[
        Literal["append", "replace", "upsert"], typer.Option("--mode", help="What to do with rows that are there.")
    ] = "append",
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="COLUMN", help="A column that identifies a row; for upsert.")
    ] = None,
) -> None:
    """Load a file into a table. Rows that cannot be read are counted and named, not fatal.

    Example:
        $ dataflow data ingest daily.parquet --into scratch.daily --mode replace
    """
    from dataflow.cli.views.data import show_ingested
    from dataflow.operations import data as operations

    output: Output = ctx.obj
    result = operations.ingest(context_of(output), file, into, mode=mode, key=tuple(key or ()))
    output.result(result, show_ingested)


app.command()(warehouses.diff)
app.command()(warehouses.branch)
app.command()(report.report)
