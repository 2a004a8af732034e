"""What dbt did with each node: from its lines while it goes on, from run_results.json when it has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dataflow.errors import WarehouseError
from dataflow.events import Event, Noted, StepChanged

NodeState = Literal["success", "warn", "failure", "skipped"]
_STATES: dict[str, NodeState] = {"success": "success", "pass": "success", "warn": "warn", "skipped": "skipped"}
_EVENT_STATES: dict[str, Literal["done", "failed", "skipped"]] = {
    "success": "done",
    "warn": "done",
    "skipped": "skipped",
    "failure": "failed",
}
_ENDS = {
    "LogModelResult",
    "LogNodeNoOpResult",
    "LogSeedResult",
    "LogSkipBecauseError",
    "LogSnapshotResult",
    "LogTestResult",
    "SkippingDetails",
}
_SAMPLE = 5


@dataclass(frozen=True, slots=True)
class DbtNode:
    """A model, test, seed or snapshot, and how it went.

    `failures`: rows that a test found. `compiled`: the file with the SQL that ran. `sample`: some of those rows, each
    as the texts of `sample_columns`.
    """

    workflow: str
    kind: str
    name: str
    state: NodeState
    seconds: float
    message: str | None = None
    failures: int | None = None
    compiled: Path | None = None
    sample_columns: tuple[str, ...] = ()
    sample: tuple[tuple[str, ...], ...] = ()


def event_of(line: str) -> Event | None:
    """A line of dbt's JSON log as an event, where it tells the end of a node or an error outside of nodes."""
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return Noted(line) if line.strip() else None
    info, node = told["info"], told["data"].get("node_info", {})
    if info["name"] in _ENDS:
        state = _STATES.get(node["node_status"], "failure")
        data = told["data"]
        where = f"{data['index']} of {data.get('total') or data.get('num_models')}" if "index" in data else ""
        found = f", {data['num_failures']} rows" if data.get("num_failures") else ""
        seconds = round(data.get("execution_time", 0), 2)
        return StepChanged(node["node_name"], _EVENT_STATES[state], where + found, seconds)
    if info["level"] in {"warn", "error"} and not node:
        return Noted(info["msg"].strip(), warning=True)
    return None


def nodes_of(workflow: str, target: Path, warehouse: Path) -> Iterator[DbtNode]:
    """Every node of the command that wrote `target`, in the order in which they ended."""
    found = target / "run_results.json"
    if not found.is_file():
        return
    names = _names(target / "manifest.json")
    for result in json.loads(found.read_text(encoding="utf-8"))["results"]:
        yield _node(workflow, result, names.get(result["unique_id"], {}), warehouse)


def _names(manifest: Path) -> dict[str, dict[str, Any]]:
    return json.loads(manifest.read_text(encoding="utf-8"))["nodes"] if manifest.is_file() else {}


def _node(workflow: str, result: dict[str, Any], node: dict[str, Any], warehouse: Path) -> DbtNode:
    kind, _, name = result["unique_id"].partition(".")
    state = _STATES.get(result["status"], "failure")
    columns, rows = (), ()
    if kind == "test" and state in {"failure", "warn"} and result.get("failures"):
        columns, rows = _rows(warehouse, result.get("compiled_code") or "")
    compiled = node.get("compiled_path")
    return DbtNode(
        workflow=workflow,
        kind=kind,
        name=node.get("name") or name.partition(".")[2],
        state=state,
        seconds=round(result["execution_time"], 2),
        message=None if state == "success" else result.get("message"),
        failures=result.get("failures") or None,
        compiled=Path(compiled) if compiled and state != "success" else None,
        sample_columns=columns,
        sample=rows,
    )


def _rows(warehouse: Path, sql: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Some rows that a test found; none where its SQL does not run any more."""
    import duckdb

    from dataflow.shared import db

    try:
        with db.read_connection(warehouse) as reader:
            answer = reader.connection.execute(f"select * from ({sql}) limit {_SAMPLE}")
            columns = tuple(column[0] for column in answer.description or ())
            return columns, tuple(tuple(str(value) for value in row) for row in answer.fetchall())
    except (WarehouseError, duckdb.Error):
        return (), ()
