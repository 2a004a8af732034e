"""The feeds of the dashboard: what is asked, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dataflow_tui.feeds import Feed
from dataflow_tui.platform import Platform

if TYPE_CHECKING:
    from dataflow.operations.runs import RunDetail


def feeds_of(platform: Platform, wanted_run: Callable[[], str | None]) -> dict[str, Feed[Any]]:
    """Every feed by its name. `wanted_run`: the run whose steps somebody looks at."""

    def run() -> RunDetail | None:
        run_id = wanted_run()
        return platform.run(run_id) if run_id else None

    made: tuple[Feed[Any], ...] = (
        Feed("status", platform.status, every=3),
        Feed("why", platform.why, every=15, patience=30),
        Feed("workflows", platform.workflows, every=15, patience=60),
        Feed("runs", platform.runs, every=2),
        Feed("run", run, every=1),
        Feed("schedules", platform.schedules, every=10),
        Feed("tables", platform.tables, every=5),
        Feed("alerts", platform.alerts, every=5),
        Feed("checks", platform.checks, every=5),
        Feed("audit", platform.audit, every=5),
    )
    return {feed.name: feed for feed in made}
