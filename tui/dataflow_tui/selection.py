"""What a person has under the cursor: what an action is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dataflow.models import Run, ServiceStatus, WorkflowInfo

if TYPE_CHECKING:
    from dataflow.clients.schedules import Schedule
    from dataflow.operations.alerts import Alert


@dataclass(frozen=True, slots=True)
class LogAsk:
    """What the logs view asks for, as a person typed it."""

    services: tuple[str, ...] = ()
    level: str | None = None
    grep: str | None = None
    exclude: str | None = None
    workflow: str | None = None
    run: str | None = None
    since: str | None = None

    @property
    def narrows(self) -> bool:
        """Whether it asks for less than everything."""
        return self != LogAsk()

    def but(self, **changes: object) -> LogAsk:
        """The same with changes."""
        return replace(self, **changes)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Selection:
    """The things that are chosen in the view that is shown; None where there is none of a kind."""

    service: ServiceStatus | None = None
    workflow: WorkflowInfo | None = None
    run: Run | None = None
    step: str | None = None
    schedule: Schedule | None = None
    table: str | None = None
    sql: str | None = None
    querying: bool = False
    alert: Alert | None = None
    line: str | None = None
    problem: str | None = None
    logs: LogAsk = LogAsk()
    search: str | None = None
    up: bool = False
    working: bool = False
