"""The platform at a glance: services, engine, workflows with their last run, the size of the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dataflow.clients.runs import last_of_each
from dataflow.errors import DataflowError
from dataflow.models import EngineChoice, Run, ServiceStatus
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.services import GOOD, statuses
from dataflow.workflows.discovery import folders

State = Literal["up", "down", "degraded"]
_RUNS_SEEN = 50


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """A workflow with its last run. `last_run` is None where it never ran, or while Dagster is down."""

    name: str
    last_run: Run | None


@dataclass(frozen=True, slots=True)
class DataStatus:
    """The warehouse file: bytes on disk, and when readers' snapshot was published."""

    path: Path
    bytes: int
    snapshot: datetime | None


@dataclass(frozen=True, slots=True)
class StatusResult:
    """Everything at one moment. `note` says what could not be asked."""

    project: str
    root: Path
    time: datetime
    state: State
    engine: EngineChoice
    services: tuple[ServiceStatus, ...]
    workflows: tuple[WorkflowStatus, ...]
    warehouse: DataStatus
    note: str = ""


def status(context: Context) -> StatusResult:
    """The platform now. Never raises for a service that is down: that is what it tells."""
    services = statuses(context)
    runs, note = _runs(context, services)
    return StatusResult(
        project=context.name,
        root=context.paths.root,
        time=datetime.now(UTC),
        state=_overall(services),
        engine=context.choice,
        services=services,
        workflows=_workflows(context, runs),
        warehouse=_warehouse(context),
        note=note,
    )


def watch(context: Context, *, interval: float) -> Iterator[StatusResult]:
    """The status, again and again, every `interval` seconds."""
    import time

    while True:
        yield status(Context(context.paths))
        time.sleep(interval)


def _overall(services: tuple[ServiceStatus, ...]) -> State:
    wanted = [service for service in services if service.state != "unavailable"]
    if all(service.state == "stopped" for service in wanted):
        return "down"
    return "up" if all(service.state == "running" and service.health in GOOD for service in wanted) else "degraded"


def _runs(context: Context, services: tuple[ServiceStatus, ...]) -> tuple[list[Run], str]:
    web = next((service for service in services if service.name == WEBSERVER), None)
    if web is None or web.state != "running":
        return [], "Last runs are not shown while Dagster is down: `dataflow workflow runs` reads its files."
    try:
        return context.dagster.runs(limit=_RUNS_SEEN), ""
    except DataflowError as error:
        return [], error.message


def _workflows(context: Context, runs: list[Run]) -> tuple[WorkflowStatus, ...]:
    last = last_of_each(runs)
    names = {folder.name for folder in folders(context.paths.workflows)}
    return tuple(WorkflowStatus(name, last.get(name)) for name in sorted(names | set(last)))


def _warehouse(context: Context) -> DataStatus:
    from dataflow.shared import snapshot

    path = context.warehouse
    published = snapshot.current(path)
    return DataStatus(path, path.stat().st_size if path.exists() else 0, published.as_of if published else None)
