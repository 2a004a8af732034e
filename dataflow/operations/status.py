"""The platform at a glance: services, last runs, assets, checks, disk, backups, alerts; and what is worst."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from dataflow.clients.glance import DataSeen, Glance, NoGlance, ServerGlance
from dataflow.engines.base import Observation
from dataflow.errors import BackendError, DataflowError
from dataflow.models import EngineChoice, Run, ServiceStatus
from dataflow.operations import status_parts as parts
from dataflow.operations.alerts import seen_alerts
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.services import is_good, statuses
from dataflow.operations.status_parts import (
    AlertsStatus,
    AssetsStatus,
    BackupStatus,
    ChecksStatus,
    DataStatus,
    DiskStatus,
    WorkflowStatus,
)

T = TypeVar("T")
_TIMEOUT = 3.0  # seconds; services get no longer either
State = Literal["up", "down", "degraded", "unknown"]
Worst = Literal["nothing", "attention", "checks", "runs", "services"]
"""What most needs somebody: services that are not as they should be, failed last runs, failing checks, or the rest."""


@dataclass(frozen=True, slots=True)
class StatusResult:
    """Everything at one moment. `state` is that of the services; `note` and `trouble` say what could not be asked."""

    project: str
    root: Path
    time: datetime
    state: State
    worst: Worst
    engine: EngineChoice
    services: tuple[ServiceStatus, ...]
    workflows: tuple[WorkflowStatus, ...]
    assets: AssetsStatus
    checks: ChecksStatus
    warehouse: DataStatus
    disk: DiskStatus
    backup: BackupStatus
    alerts: AlertsStatus
    note: str = ""


def status(context: Context) -> StatusResult:
    """The platform now. Never raises for a part that is down or broken: that is what it tells."""
    observed = context.engine.observe()
    with ThreadPoolExecutor(max_workers=3) as pool:  # Dagster is asked while all services are asked how they are
        runs = pool.submit(_asked, lambda: glance_of(context, observed).last_runs())
        data = pool.submit(_asked, lambda: glance_of(context, observed).data())
        alerts = pool.submit(_asked, lambda: seen_alerts(context, observed))
        services = statuses(context, observed=observed)
    infos = parts.infos_of(context)
    found = _put_together(context, infos, observed, services, runs.result(), data.result())
    raised, silent = alerts.result()
    found = replace(found, alerts=AlertsStatus(trouble=silent) if silent else parts.alerts_of(raised))
    return replace(found, worst=_worst(found, parts.own_workflows(context, infos)))


def watch(context: Context, *, interval: float) -> Iterator[StatusResult]:
    """The status, again and again, every `interval` seconds."""
    while True:
        yield status(Context(context.paths))
        time.sleep(interval)


def _put_together(
    context: Context,
    infos: parts.Infos,
    observed: Observation,
    services: tuple[ServiceStatus, ...],
    runs: tuple[list[Run] | None, str],
    data: tuple[DataSeen | None, str],
) -> StatusResult:
    seen, trouble = data
    return StatusResult(
        project=context.name,
        root=context.paths.root,
        time=datetime.now(UTC),
        state=_overall(services),
        worst="nothing",
        engine=context.choice,
        services=services,
        workflows=parts.workflows_of(context, infos, runs[0] or ()),
        assets=parts.assets_of(infos, seen) if seen else AssetsStatus(trouble=trouble),
        checks=parts.checks_of(infos, seen) if seen else ChecksStatus(trouble=trouble),
        warehouse=parts.warehouse_of(context),
        disk=parts.disk_of(context),
        backup=parts.backup_of(context),
        alerts=AlertsStatus(),
        note=observed.trouble or runs[1],
    )


def _overall(services: tuple[ServiceStatus, ...]) -> State:
    wanted = [service for service in services if service.state != "unavailable"]
    if any(service.state == "unknown" for service in wanted):
        return "unknown"
    if all(service.state == "stopped" for service in wanted):
        return "down"
    return "up" if all(is_good(service) for service in wanted) else "degraded"


def _worst(found: StatusResult, own: set[str]) -> Worst:
    """A warning of a check, and a workflow whose folder is gone, are shown and need nobody."""
    if found.state != "up":
        return "services"
    if any(one.name in own and one.last_run and one.last_run.state == "failure" for one in found.workflows):
        return "runs"
    if found.assets.stale or any(check.severity == "error" for check in found.checks.failing):
        return "checks"
    troubles = (found.note, found.assets.trouble, found.warehouse.trouble, found.backup.trouble, found.alerts.trouble)
    return "attention" if any(troubles) or found.alerts.open or found.disk.state != "good" else "nothing"


def glance_of(context: Context, observed: Observation) -> Glance:
    """Who can tell of runs and data: files natively, under Docker the running Dagster."""
    if context.has_files:
        from dataflow.clients.glance_files import FilesGlance

        return FilesGlance(context.paths.dagster_home)
    if WEBSERVER not in context.engine.wanted:
        return NoGlance()
    web = observed.processes.get(WEBSERVER)
    if web is None or not web.running:
        raise BackendError("Not known while Dagster is down.", code="BACKEND_DOWN")
    from dataflow.clients.dagster import DagsterClient

    return ServerGlance(DagsterClient(context.url(WEBSERVER) or "", timeout=_TIMEOUT))


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """An answer, or why there is none."""
    try:
        return ask(), ""
    except DataflowError as error:
        return None, error.message
