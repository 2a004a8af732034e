"""The same questions, answered from DAGSTER_HOME while Dagster's services are down. Imports dagster (half a second)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.clients.dagster import innermost
from dataflow.clients.runs import EventKind, EventPage, RunEvent, state_of
from dataflow.models import Run

if TYPE_CHECKING:
    from dagster import DagsterEvent, DagsterInstance, EventLogEntry

_KINDS: dict[str, EventKind] = {
    "STEP_START": "step-started",
    "STEP_SUCCESS": "step-succeeded",
    "STEP_FAILURE": "step-failed",
    "STEP_SKIPPED": "step-skipped",
    "ASSET_CHECK_EVALUATION": "check",
    "ASSET_MATERIALIZATION": "materialized",
    "PIPELINE_START": "run",
    "PIPELINE_SUCCESS": "run",
    "PIPELINE_FAILURE": "run",
    "PIPELINE_CANCELED": "run",
    "PIPELINE_CANCELING": "run",
}


class DagsterFiles:
    """Reads the instance in `home`, which holds a dagster.yaml. The environment is the one workflow code gets."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        import os

        # Dagster's run launcher and storages read the process's environment.
        os.environ.update(
            {key: value for key, value in environment.items() if key.startswith(("DATAFLOW_", "DAGSTER_"))}
        )
        from dagster import DagsterInstance

        self._instance: DagsterInstance = DagsterInstance.from_config(str(home))

    def runs(self, *, workflow: str | None = None, limit: int = 20) -> list[Run]:
        """The newest runs first."""
        from dagster import RunsFilter

        records = self._instance.get_run_records(RunsFilter(job_name=workflow) if workflow else None, limit=limit)
        return [_run(record) for record in records]

    def run(self, run_id: str) -> Run | None:
        """One run by its whole id."""
        record = self._instance.get_run_record_by_id(run_id)
        return _run(record) if record else None

    def events(self, run_id: str, cursor: str | None = None) -> EventPage:
        """What happened after `cursor`."""
        connection = self._instance.get_records_for_run(run_id, cursor=cursor, limit=500)
        return EventPage(tuple(_event(record.event_log_entry) for record in connection.records), connection.cursor)

    def cancel(self, run_id: str) -> bool:
        """Ask a run to end; False where it is not running."""
        return bool(self._instance.run_launcher.terminate(run_id))

    def prepare(self) -> None:
        """Make the storages' files: services that start at once and each do it break them."""
        _ = self._instance.run_storage, self._instance.event_log_storage, self._instance.schedule_storage

    def end(self, run_id: str, reason: str, *, canceled: bool = False) -> None:
        """Write the end of a run whose process is gone without having done so."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        if canceled:
            self._instance.report_run_canceled(run, reason)
        else:
            self._instance.report_run_failed(run, reason)


def _run(record: Any) -> Run:
    run = record.dagster_run
    return Run(
        id=run.run_id,
        workflow=run.job_name,
        state=state_of(run.status.value),
        created=record.create_timestamp.replace(tzinfo=UTC),
        started=_time(record.start_time),
        ended=_time(record.end_time),
        tags={key: value for key, value in run.tags.items() if not key.startswith(".dagster/")},
    )


def _event(entry: EventLogEntry) -> RunEvent:
    event = entry.dagster_event
    kind: EventKind = _KINDS.get(event.event_type_value, "other") if event else "log"
    evaluation: Any = event.event_specific_data if event and kind == "check" else None
    message = (event.message if event else entry.user_message) or ""
    if evaluation:
        message = f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}"
    return RunEvent(
        time=datetime.fromtimestamp(entry.timestamp, UTC),
        kind=kind,
        level=_level(entry.level),
        message=message,
        step=entry.step_key,
        error=_error(event) if event else None,
        passed=(evaluation.passed or evaluation.severity.value == "WARN") if evaluation else None,
    )


def _error(event: DagsterEvent) -> str | None:
    data: Any = event.event_specific_data
    info = getattr(data, "error", None)
    if info is None:
        return None
    messages: list[str] = []
    while info:
        messages.append(info.message)
        info = info.cause
    return innermost(messages)


def _level(level: str | int) -> str:
    import logging

    return (logging.getLevelName(level) if isinstance(level, int) else str(level)).lower()


def _time(value: float | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value else None
