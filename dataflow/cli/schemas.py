"""The JSON Schemas of what commands print with --json: one table, from command to result type."""

from __future__ import annotations

import importlib
from typing import Any

from dataflow.config.validation import suggestion
from dataflow.errors import UsageError

_OPERATIONS = "dataflow.operations"

RESULTS: dict[str, str] = {
    "init": f"{_OPERATIONS}.init:InitResult",
    "up": f"{_OPERATIONS}.up:UpResult",
    "down": f"{_OPERATIONS}.down:DownResult",
    "start": f"{_OPERATIONS}.lifecycle:LifecycleResult",
    "stop": f"{_OPERATIONS}.lifecycle:LifecycleResult",
    "restart": f"{_OPERATIONS}.lifecycle:LifecycleResult",
    "status": f"{_OPERATIONS}.status:StatusResult",
    "why": f"{_OPERATIONS}.why:WhyResult",
    "logs": f"{_OPERATIONS}.logs:Lines",
    "open": f"{_OPERATIONS}.visit:Page",
    "doctor": f"{_OPERATIONS}.doctor:DoctorResult",
    "support": f"{_OPERATIONS}.support:Bundle",
    "engine show": f"{_OPERATIONS}.engines:EngineShown",
    "engine switch": f"{_OPERATIONS}.engines:SwitchResult",
    "upgrade": f"{_OPERATIONS}.upgrade:UpgradeResult",
    "backup create": f"{_OPERATIONS}.backup_format:Backup",
    "backup list": f"{_OPERATIONS}.backup:BackupList",
    "backup verify": f"{_OPERATIONS}.restore:Verified",
    "backup restore": f"{_OPERATIONS}.restore:RestoreResult",
    "alerts list": f"{_OPERATIONS}.alerts:AlertList",
    "alerts ack": f"{_OPERATIONS}.silences:SilenceList",
    "alerts silence": f"{_OPERATIONS}.silences:SilenceList",
    "workflow init": f"{_OPERATIONS}.scaffold:Scaffolded",
    "workflow validate": f"{_OPERATIONS}.validate:Validated",
    "workflow test": f"{_OPERATIONS}.workflow_tests:SuiteResult",
    "workflow list": f"{_OPERATIONS}.workflows:WorkflowList",
    "workflow show": f"{_OPERATIONS}.workflows:WorkflowDetail",
    "workflow run": f"{_OPERATIONS}.follow:RunResult",
    "workflow retry": f"{_OPERATIONS}.follow:RunResult",
    "workflow backfill": f"{_OPERATIONS}.backfill:Backfill",
    "workflow schedule": f"{_OPERATIONS}.schedules:ScheduleList",
    "workflow runs": f"{_OPERATIONS}.runs:RunList",
    "workflow status": f"{_OPERATIONS}.runs:RunDetail",
    "workflow logs": "dataflow.cli.views.workflow:LogLines",
    "workflow cancel": f"{_OPERATIONS}.runs:RunDetail",
    "ci": f"{_OPERATIONS}.ci:CiResult",
    "dbt build": f"{_OPERATIONS}.dbt:DbtResult",
    "dbt test": f"{_OPERATIONS}.dbt:DbtResult",
    "dbt docs": f"{_OPERATIONS}.dbt:DbtDocs",
    "dbt run-operation": f"{_OPERATIONS}.dbt:MacroResult",
    "data tables": f"{_OPERATIONS}.data:TableList",
    "data query": f"{_OPERATIONS}.data:QueryResult",
    "data export": f"{_OPERATIONS}.data:FileWritten",
    "data ingest": f"{_OPERATIONS}.data:Ingested",
    "data diff": f"{_OPERATIONS}.diff:DiffResult",
    "data report": f"{_OPERATIONS}.report:Rendered",
    "data branch": f"{_OPERATIONS}.branch:BranchList",
    "storage ls": f"{_OPERATIONS}.storage:Listing",
    "storage put": f"{_OPERATIONS}.storage:Moved",
    "storage get": f"{_OPERATIONS}.storage:Moved",
    "storage rm": f"{_OPERATIONS}.storage:Removed",
    "config show": f"{_OPERATIONS}.configuration:ConfigShown",
    "config validate": f"{_OPERATIONS}.configuration:ConfigChecked",
}
# Commands whose data depends on an option; the schema is either.
ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "workflow init": (f"{_OPERATIONS}.scaffold:TemplateList",),
    "workflow run": (f"{_OPERATIONS}.run:Launched",),
    "workflow retry": (f"{_OPERATIONS}.run:Launched",),
    "workflow backfill": (f"{_OPERATIONS}.backfill:BackfillList", f"{_OPERATIONS}.backfill_plans:BackfillPlan"),
    "data query": (f"{_OPERATIONS}.data:FileWritten",),
    "data branch": (
        f"{_OPERATIONS}.branch:BranchCreated",
        f"{_OPERATIONS}.branch:BranchDropped",
        f"{_OPERATIONS}.branch_files:Branch",
    ),
    "logs": (f"{_OPERATIONS}.logs:LineCounts", f"{_OPERATIONS}.logs:LineStats", f"{_OPERATIONS}.log_query:LogSeries"),
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def names() -> list[str]:
    """What `schema_of` knows."""
    return ["envelope", "event", *sorted(RESULTS)]


def schema_of(command: str) -> dict[str, Any]:
    """The schema of a command's data. Raises UsageError SCHEMA_UNKNOWN with a did-you-mean."""
    if command == "envelope":
        return _ENVELOPE
    if command == "event":
        return {"$schema": _DIALECT, **_adapter(["dataflow.events:Event"])}
    if command not in RESULTS:
        hint = suggestion(command, names()) or "`dataflow schema` lists the commands that have one."
        raise UsageError(f"There is no schema for '{command}'.", code="SCHEMA_UNKNOWN", hint=hint)
    return {"$schema": _DIALECT, **_adapter([RESULTS[command], *ALTERNATIVES.get(command, ())])}


def _adapter(places: list[str]) -> dict[str, Any]:
    from functools import reduce
    from operator import or_

    from pydantic import TypeAdapter

    types: list[Any] = []
    for place in places:
        module, _, name = place.partition(":")
        types.append(getattr(importlib.import_module(module), name))
    adapter: TypeAdapter[Any] = TypeAdapter(reduce(or_, types))
    return adapter.json_schema(mode="serialization")


_NULLABLE_STRING = {"type": ["string", "null"]}
_ENVELOPE: dict[str, Any] = {
    "$schema": _DIALECT,
    "title": "Envelope",
    "type": "object",
    "required": ["schema", "command", "status", "data", "warnings", "error"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": "dataflow/1"},
        "command": {"type": "string"},
        "status": {"enum": ["done", "failed"]},
        "data": {"description": "The schema of the command; null where it failed before it had any."},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "error": {
            "type": ["object", "null"],
            "required": ["code", "message", "hint", "actions", "retryable", "place", "findings"],
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
                "message": {"type": "string"},
                "hint": _NULLABLE_STRING,
                "actions": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["label", "command"],
                        "properties": {"label": {"type": "string"}, "command": {"type": "string"}},
                    },
                },
                "retryable": {"type": "boolean"},
                "place": {"type": ["object", "null"]},
                "findings": {"type": "array"},
            },
        },
    },
}
