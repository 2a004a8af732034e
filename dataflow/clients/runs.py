"""What can be asked about runs, whoever answers: the running Dagster, or its files when it is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from dataflow.models import Run, RunState

EventKind = Literal[
    "step-started", "step-succeeded", "step-failed", "step-skipped", "check", "materialized", "run", "log", "other"
]

STATES: dict[str, RunState] = {
    "QUEUED": "queued",
    "NOT_STARTED": "queued",
    "MANAGED": "queued",
    "STARTING": "starting",
    "STARTED": "running",
    "CANCELING": "canceling",
    "SUCCESS": "success",
    "FAILURE": "failure",
    "CANCELED": "canceled",
}


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that happened in a run. `error` is the innermost cause, for people.

    `passed` is for checks: False where one of severity ERROR did not hold; a mere warning counts as passed.
    """

    time: datetime
    kind: EventKind
    level: str
    message: str
    step: str | None = None
    error: str | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events in order, and the cursor that continues after them."""

    events: tuple[RunEvent, ...]
    cursor: str | None


class RunHistory(Protocol):
    """Runs of the project's Dagster instance."""

    def runs(
        self,
        *,
        workflow: str | None = None,
        states: Sequence[RunState] = (),
        since: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int = 20,
    ) -> list[Run]:
        """The newest runs first: of one workflow, in one of some states, made since then, with these tags."""
        ...

    def run(self, run_id: str) -> Run | None:
        """One run by its whole id."""
        ...

    def events(self, run_id: str, cursor: str | None = None) -> EventPage:
        """What happened in a run after `cursor`."""
        ...

    def cancel(self, run_id: str) -> bool:
        """Ask a run to end; False where it is not running."""
        ...


def state_of(status: str) -> RunState:
    """Our word for Dagster's; newer Dagsters may have words we do not know."""
    return STATES.get(status, "unknown")


def statuses_of(states: Sequence[RunState]) -> list[str]:
    """Dagster's words for ours."""
    return [status for status, state in STATES.items() if state in states]


def last_of_each(runs: list[Run]) -> Mapping[str, Run]:
    """The newest run of every workflow, from runs that are newest first."""
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.workflow, run)
    return found
