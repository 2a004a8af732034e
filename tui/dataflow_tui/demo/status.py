"""The status of the demo, put together as the operation puts it together."""

from __future__ import annotations

from datetime import datetime, timedelta

from dataflow.clients.glance import CheckSeen
from dataflow.models import EngineChoice
from dataflow.operations.alerts import AlertList
from dataflow.operations.services import is_good
from dataflow.operations.status import StatusResult
from dataflow.operations.status_parts import (
    AlertsStatus,
    AssetsStatus,
    BackupStatus,
    ChecksStatus,
    DataStatus,
    DiskStatus,
    StaleAsset,
    WorkflowStatus,
)
from dataflow_tui.demo.cast import ROOT, WORKFLOWS
from dataflow_tui.demo.parts import Parts
from dataflow_tui.demo.runs import Stage


def status_of(parts: Parts, stage: Stage, alerts: AlertList, now: datetime) -> StatusResult:
    """Everything at one moment."""
    services = parts.all()
    last = {info.name: next((one for one in stage.played if one.workflow == info.name), None) for info in WORKFLOWS}
    up = all(is_good(one) for one in services)
    down = all(one.state == "stopped" for one in services)
    stale = (StaleAsset("marts/weather_daily", now - timedelta(days=6), 86400.0),)
    failing = (CheckSeen("marts/revenue", "not_negative", False, "warning", now - timedelta(hours=2)),)
    return StatusResult(
        project="acme-shop",
        root=ROOT,
        time=now,
        state="up" if up else "down" if down else "degraded",
        worst="nothing" if up else "services",
        engine=EngineChoice("docker", "the demo plays it"),
        services=services,
        workflows=tuple(WorkflowStatus(name, run.detail(now).run if run else None) for name, run in last.items()),
        assets=AssetsStatus(10, 4, stale),
        checks=ChecksStatus(3, failing),
        warehouse=DataStatus(ROOT / ".dataflow" / "warehouse.duckdb", 48_300_000, now - timedelta(minutes=58)),
        disk=DiskStatus(ROOT, 212_000_000_000, 494_000_000_000, "good"),
        backup=BackupStatus("daily", now - timedelta(hours=6), 4),
        alerts=AlertsStatus(True, alerts.open, len(alerts.alerts) - len(alerts.open), 1),
    )
