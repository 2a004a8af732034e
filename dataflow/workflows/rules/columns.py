"""Whether the models and tests of a dbt project fit the tables that there are today: dbt builds them empty, elsewhere.

The copy is a database of the same name with the same tables and not a row in it, in a folder of its own: dbt has no
data to take time over, and the warehouse is not touched. What is complained of because a table is not there yet is left
out: the first run makes it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.config.documents import place_at
from dataflow.config.keys import from_plain, to_plain
from dataflow.config.validation import suggestion
from dataflow.errors import DataflowError, Place
from dataflow.models import DbtInfo, Finding
from dataflow.shared.identifiers import quote
from dataflow.system.files import write_json
from dataflow.system.process import find_program, run
from dataflow.workflows.dbt import PARSE_SECONDS, QUIET, content

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Tables = dict[tuple[str, str], dict[str, str]]
"""Columns with their types, by schema and table."""

_NO_COLUMN = re.compile(r'(?:Referenced column|column named|Column with name:?) "?([^"\s]+)"?')
_CANDIDATES = re.compile(r"Candidate bindings: (.*)")
_REASON = re.compile(r"(?:Binder|Parser) Error: .*")


def column_findings(
    dbt: DbtInfo, connection: DuckDBPyConnection, kept: Path, environment: Mapping[str, str]
) -> Iterator[Finding]:
    """What does not fit. `kept`: where the answer stays until the project or a table changes."""
    tables = tables_of(connection)
    if not tables:
        return
    facts = (dbt.variables, sorted((name, list(columns.items())) for name, columns in tables.items()))
    key = hashlib.sha256(content(dbt.folder) + repr(facts).encode()).hexdigest()
    with suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(kept.read_text(encoding="utf-8"))
        if held["key"] == key:
            yield from from_plain(held["findings"], tuple[Finding, ...])
            return
    found = tuple(_looked(dbt, tables, environment))
    with suppress(DataflowError):  # a full disk: it is only a cache
        write_json(kept, {"key": key, "findings": to_plain(found)})
    yield from found


def tables_of(connection: DuckDBPyConnection) -> Tables:
    """Every table and view of the database."""
    sql = """select schema_name, table_name, column_name, data_type from duckdb_columns()
             where database_name = current_database() and not internal order by all"""
    found: Tables = {}
    for schema, table, column, kind in connection.execute(sql).fetchall():
        found.setdefault((schema, table), {})[column] = kind
    return found


def _looked(dbt: DbtInfo, tables: Tables, environment: Mapping[str, str]) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="dataflow-") as name:
        copy = Path(name) / Path(environment["DATAFLOW_WAREHOUSE_PATH"]).name
        _make_empty(copy, tables)
        target = Path(name) / "target"
        folder = str(dbt.folder)
        paths = ("--project-dir", folder, "--profiles-dir", folder, "--target-path", target, "--log-path", target)
        command = [find_program("dbt") or "dbt", *QUIET, "run", "--empty", "--vars", dbt.variables, *map(str, paths)]
        run(
            command,
            cwd=dbt.folder,
            env={**environment, "DATAFLOW_WAREHOUSE_PATH": str(copy)},
            timeout=PARSE_SECONDS,
        )
        results = _json(target / "run_results.json").get("results", ())
        nodes = _json(target / "manifest.json").get("nodes", {})
        for result in results:
            if result["status"] == "error" and result["unique_id"] in nodes:
                yield from _refused(dbt.folder, nodes[result["unique_id"]], result["message"] or "")
        yield from _tests(dbt.folder, nodes, _built(copy))


def _make_empty(file: Path, tables: Tables) -> None:
    import duckdb

    with duckdb.connect(file) as connection:
        for (schema, table), columns in tables.items():
            shape = ", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())
            connection.execute(f"create schema if not exists {quote(schema)}")
            with suppress(duckdb.Error):  # a type that only an extension knows: then nothing is said of its table
                connection.execute(f"create table {quote(schema)}.{quote(table)} ({shape})")


def _built(file: Path) -> Tables:
    import duckdb

    with duckdb.connect(file, read_only=True) as connection:
        return tables_of(connection)


def _refused(folder: Path, node: Mapping[str, Any], message: str) -> Iterator[Finding]:
    """A model that DuckDB refuses; of a table that is missing nothing is said."""
    reason = _REASON.search(message)
    if not reason:
        return
    text = " ".join(reason[0].split())
    column = _NO_COLUMN.search(text)
    place = _place(folder / node["original_file_path"], column[1] if column else "")
    if not column:
        yield Finding("dbt-sql", f"DuckDB refuses the model {node['name']}: {text}", place)
        return
    candidates = re.findall(r'"([^"]+)"', found[1]) if (found := _CANDIDATES.search(message)) else []
    yield _missing(f"the model {node['name']}", column[1], [name.rpartition(".")[2] for name in candidates], place)


def _tests(folder: Path, nodes: Mapping[str, Any], built: Tables) -> Iterator[Finding]:
    """Tests of a column that their model or source does not have."""
    for node in nodes.values():
        tested, column = nodes.get(node.get("attached_node") or ""), node.get("column_name")
        if not tested or not column:
            continue
        columns = built.get((tested["schema"], tested["alias"]), {})
        if columns and column.lower() not in {name.lower() for name in columns}:
            place = _place(folder / node["original_file_path"], column)
            yield _missing(f"a test of {tested['name']}", column, list(columns), place)


def _missing(who: str, column: str, there: list[str], place: Place) -> Finding:
    hint = suggestion(column, there) or (f"There are: {', '.join(there)}." if there else None)
    return Finding("dbt-column", f"There is no column '{column}' for {who}.", place, hint)


def _place(path: Path, word: str) -> Place:
    """The first line of a file with the word."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    pattern = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE)
    for number, line in enumerate(text.splitlines(), 1):
        if word and (found := pattern.search(line)):
            return place_at(path, text, number, found.start() + 1)
    return Place(path, 1, 1)


def _json(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
