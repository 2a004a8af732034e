"""The platform of a project: each method is one operation. Modules come in when they are first needed, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.events import Report
from dataflow.models import LogLine
from dataflow.operations.context import Context

if TYPE_CHECKING:
    from dataflow.config.paths import ProjectPaths
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

_KEPT = 15.0  # seconds for which one reading of the project's files is good, unless they change
_RUNS = 50


class LivePlatform:
    """The operations, on a project. Every thread has a context of its own."""

    demo = False

    def __init__(self, paths: ProjectPaths, flags: Mapping[str, Any] | None = None) -> None:
        self.name = paths.root.name
        self._paths = paths
        self._flags = dict(flags or {})
        self._local = threading.local()

    def _context(self) -> Context:
        """This thread's context: made anew where the settings changed, and from time to time for what else may have."""
        marks = (self._written(self._paths.config), self._written(self._paths.env), self._written(self._paths.stack))
        kept = getattr(self._local, "kept", None)
        if kept is None or kept[0] != marks or time.monotonic() - kept[1] > _KEPT:
            kept = self._local.kept = (marks, time.monotonic(), self._fresh())
        return kept[2]

    def _fresh(self) -> Context:
        return Context(self._paths, self._flags)

    @staticmethod
    def _written(path: Path) -> int:
        return path.stat().st_mtime_ns if path.exists() else 0

    def status(self) -> StatusResult:
        """Everything at one moment."""
        from dataflow.operations.status import status

        return status(self._context())

    def why(self, name: str | None = None) -> WhyResult:
        """Root causes."""
        from dataflow.operations.why import why

        return why(self._fresh(), name)

    def up(self, report: Report) -> object:
        """Bring the platform up."""
        from dataflow.operations.up import UpOptions, up

        return up(self._fresh(), UpOptions(), report)

    def down(self, report: Report) -> object:
        """Take it down; data stays."""
        from dataflow.operations.down import DownOptions, down

        return down(self._fresh(), DownOptions(), report)

    def start(self, service: str, report: Report) -> object:
        """Start a service and what it depends on."""
        from dataflow.operations.lifecycle import start

        return start(self._fresh(), (service,), report)

    def stop(self, service: str, report: Report) -> object:
        """Stop a service."""
        from dataflow.operations.lifecycle import stop

        return stop(self._fresh(), (service,), report)

    def restart(self, service: str, report: Report) -> object:
        """Restart a service and wait until it is healthy."""
        from dataflow.operations.lifecycle import restart

        return restart(self._fresh(), (service,), report)

    def page(self, service: str) -> str:
        """The address of a service's page."""
        from dataflow.operations.visit import page_of

        return page_of(self._fresh(), service).url

    def shell(self, service: str) -> int:
        """A shell in our own terminal, where the service runs."""
        from dataflow.operations.visit import execute

        return execute(self._fresh(), ("sh",), service=service)

    def follow_logs(self, query: LogQuery, over: Callable[[], bool]) -> Iterator[LogLine]:
        """The last lines that are asked for, then new ones until `over`."""
        from dataflow.operations.log_follow import follow

        return follow(self._fresh(), query, over)

    def workflows(self) -> WorkflowList:
        """Every workflow, and what is wrong with those that do not load."""
        from dataflow.operations.workflows import list_workflows

        return list_workflows(self._fresh())

    def validate(self) -> Validated:
        """Everything that is wrong with workflows, by file and line."""
        from dataflow.operations.validate import validate_workflows

        return validate_workflows(self._fresh())

    def runs(self, workflow: str | None = None) -> RunList:
        """The newest runs."""
        from dataflow.operations.runs import RunFilter, list_runs

        return list_runs(self._context(), RunFilter(workflow, limit=_RUNS))

    def run(self, run_id: str) -> RunDetail:
        """One run with its steps and checks."""
        from dataflow.operations.runs import show_run

        return show_run(self._context(), run_id)

    def run_log(self, run_id: str, step: str | None = None) -> tuple[LogLine, ...]:
        """What a run wrote, or one step of it."""
        from dataflow.operations.run_logs import read_log

        return read_log(self._context(), run_id, step=step)

    def launch(self, options: RunOptions, report: Report) -> Launched:
        """Start a run, or with a dry run only check it."""
        from dataflow.operations.run import launch

        return launch(self._fresh(), options, report)

    def cancel(self, run_id: str, report: Report) -> object:
        """End a run and wait until it has ended."""
        from dataflow.operations.runs import cancel_run

        return cancel_run(self._fresh(), run_id, report)

    def retry(self, run_id: str, report: Report, *, from_failure: bool) -> Launched:
        """Run an earlier run again."""
        from dataflow.operations.retry import retry

        return retry(self._fresh(), run_id, report, from_failure=from_failure)

    def schedules(self) -> ScheduleList:
        """What starts by itself, and when next."""
        from dataflow.operations.schedules import list_schedules

        return list_schedules(self._context())

    def switch_schedule(self, workflow: str, *, on: bool) -> object:
        """Switch a workflow's schedule on or off."""
        from dataflow.operations.schedules import switch

        return switch(self._fresh(), workflow, on=on)

    def tables(self) -> KnownTables:
        """What the warehouse holds."""
        from dataflow.operations.browse import known_tables

        return known_tables(self._context())

    def preview(self, table: str, cancel: Cancel) -> QueryResult:
        """The first rows of a table."""
        from dataflow.operations.browse import preview

        return preview(self._fresh(), table, cancel=cancel)

    def profile(self, table: str, cancel: Cancel) -> QueryResult:
        """Statistics of a table's columns."""
        from dataflow.operations.browse import profile

        return profile(self._fresh(), table, cancel=cancel)

    def query(self, sql: str, cancel: Cancel) -> QueryResult:
        """The answer to a SELECT."""
        from dataflow.operations.data import query

        return query(self._fresh(), sql, limit=500, cancel=cancel)

    def export(self, what: str, path: Path) -> FileWritten:
        """Write a table or an answer to a file."""
        from dataflow.operations.data import export

        return export(self._fresh(), what, path)

    def alerts(self) -> AlertList:
        """What fires."""
        from dataflow.operations.alerts import list_alerts

        return list_alerts(self._context())

    def acknowledge(self, alert: str, comment: str) -> object:
        """Say that somebody looks after an alert."""
        from dataflow.operations.silences import acknowledge

        return acknowledge(self._fresh(), [alert], length="4h", comment=comment)

    def silence(self, alert: str, length: str, comment: str) -> object:
        """Tell nobody of the alerts of a rule for a time."""
        from dataflow.operations.silences import silence

        return silence(self._fresh(), [alert], length=length, comment=comment)

    def checks(self) -> CheckList:
        """Every check, and how it came out last."""
        from dataflow.operations.browse import list_checks

        return list_checks(self._context())

    def audit(self) -> AuditTrail:
        """Who changed what, the newest first."""
        from dataflow.operations.audit_trail import trail

        return trail(self._context())
