"""What the dashboard asks for and does: one method for each operation, with the operation's own result.

`live.py` calls the operations; `demo/` answers from memory. Every method may block and may raise a DataflowError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from dataflow.events import Report
from dataflow.models import LogLine

if TYPE_CHECKING:
    from pathlib import Path

    from dataflow.operations.alerts import AlertList
    from dataflow.operations.audit_trail import AuditTrail
    from dataflow.operations.browse import CheckList, KnownTables
    from dataflow.operations.data import FileWritten, QueryResult
    from dataflow.operations.logs import LogQuery
    from dataflow.operations.run import Launched, RunOptions
    from dataflow.operations.runs import RunDetail, RunList
    from dataflow.operations.schedules import ScheduleList
    from dataflow.operations.status import StatusResult
    from dataflow.operations.validate import Validated
    from dataflow.operations.why import WhyResult
    from dataflow.operations.workflows import WorkflowList
    from dataflow.shared.cancelling import Cancel


class Platform(Protocol):
    """A platform that can be looked at and worked on."""

    name: str
    demo: bool

    def status(self) -> StatusResult:
        """Everything at one moment."""
        ...

    def why(self, name: str | None = None) -> WhyResult:
        """Root causes: of everything, or of one service, run or workflow."""
        ...

    def up(self, report: Report) -> object:
        """Bring the platform up."""
        ...

    def down(self, report: Report) -> object:
        """Take it down; data stays."""
        ...

    def start(self, service: str, report: Report) -> object:
        """Start a service and what it depends on."""
        ...

    def stop(self, service: str, report: Report) -> object:
        """Stop a service."""
        ...

    def restart(self, service: str, report: Report) -> object:
        """Restart a service and wait until it is healthy."""
        ...

    def page(self, service: str) -> str:
        """The address of a service's page."""
        ...

    def shell(self, service: str) -> int:
        """A shell in our own terminal, where the service runs."""
        ...

    def follow_logs(self, query: LogQuery, over: Callable[[], bool]) -> Iterator[LogLine]:
        """The last lines that are asked for, then new ones until `over`."""
        ...

    def workflows(self) -> WorkflowList:
        """Every workflow, and what is wrong with those that do not load."""
        ...

    def validate(self) -> Validated:
        """Everything that is wrong with workflows, by file and line."""
        ...

    def runs(self, workflow: str | None = None) -> RunList:
        """The newest runs."""
        ...

    def run(self, run_id: str) -> RunDetail:
        """One run with its steps and checks."""
        ...

    def run_log(self, run_id: str, step: str | None = None) -> tuple[LogLine, ...]:
        """What a run wrote, or one step of it."""
        ...

    def launch(self, options: RunOptions, report: Report) -> Launched:
        """Start a run, or with a dry run only check it."""
        ...

    def cancel(self, run_id: str, report: Report) -> object:
        """End a run and wait until it has ended."""
        ...

    def retry(self, run_id: str, report: Report, *, from_failure: bool) -> Launched:
        """Run an earlier run again."""
        ...

    def schedules(self) -> ScheduleList:
        """What starts by itself, and when next."""
        ...

    def switch_schedule(self, workflow: str, *, on: bool) -> object:
        """Switch a workflow's schedule on or off."""
        ...

    def tables(self) -> KnownTables:
        """What the warehouse holds."""
        ...

    def preview(self, table: str, cancel: Cancel) -> QueryResult:
        """The first rows of a table."""
        ...

    def profile(self, table: str, cancel: Cancel) -> QueryResult:
        """Statistics of a table's columns."""
        ...

    def query(self, sql: str, cancel: Cancel) -> QueryResult:
        """The answer to a SELECT."""
        ...

    def export(self, what: str, path: Path) -> FileWritten:
        """Write a table or an answer to a file."""
        ...

    def alerts(self) -> AlertList:
        """What fires."""
        ...

    def acknowledge(self, alert: str, comment: str) -> object:
        """Say that somebody looks after an alert."""
        ...

    def silence(self, alert: str, length: str, comment: str) -> object:
        """Tell nobody of the alerts of a rule for a time."""
        ...

    def checks(self) -> CheckList:
        """Every check, and how it came out last."""
        ...

    def audit(self) -> AuditTrail:
        """Who changed what, the newest first."""
        ...
