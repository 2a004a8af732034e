"""The platform of the demo: what operations would answer, from memory, with small delays as on a real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Literal

from dataflow.clients.glance import CheckSeen
from dataflow.clients.schedules import Schedule
from dataflow.errors import Action, MissingError, Place, RunFailedError, UsageError
from dataflow.events import Noted, Report, StepChanged
from dataflow.models import FINISHED, Finding, LogLine
from dataflow.operations.alerts import Alert, AlertList
from dataflow.operations.audit_trail import AuditLine, AuditTrail
from dataflow.operations.browse import CheckList, KnownTables
from dataflow.operations.causes.model import Fact, Problem, Subject
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
from dataflow.system.process import interact
from dataflow_tui.demo.cast import CRASHED, PARTS, WORKFLOWS
from dataflow_tui.demo.house import House
from dataflow_tui.demo.logs import history, new_line
from dataflow_tui.demo.parts import Parts
from dataflow_tui.demo.runs import Played, Stage
from dataflow_tui.demo.status import status_of

_FINDING = Finding(
    "secret-unset",
    "WEATHER_API_KEY is required and nobody has set it: a run will be refused.",
    Place(Path("workflows/weather/config.yaml"), 7, 5),
    "Set it in .env: WEATHER_API_KEY=…",
    "warning",
)


class DemoPlatform:
    """A platform in memory. `pace`: how much slower than at once it works; 0 for tests.

    `rate`: log lines a second. `stretch`: how much longer than a moment runs take.
    """

    name = "acme-shop"
    demo = True

    def __init__(self, *, pace: float = 1.0, rate: float = 3.0, stretch: float = 1.0) -> None:
        self.rate = rate
        self.pace = pace
        self.random = Random(7)  # noqa: S311 - it plays
        self.stage = Stage(self.now, self.random, stretch)
        self.parts = Parts(self.now, self.random)
        self.house = House()
        self._lock = threading.Lock()
        self._schedules = {"nightscout": True, "orders": True}
        self._handled: dict[str, tuple[Literal["acknowledged", "silenced"], str]] = {}
        self._audit: list[AuditLine] = []
        for hours, what in ((9, "up"), (5, "workflow run nightscout"), (1, "restart grafana")):
            self._audit.append(AuditLine(self.now() - timedelta(hours=hours), "you", what, "", "done"))

    def now(self) -> datetime:
        """The moment."""
        return datetime.now(UTC)

    def status(self) -> StatusResult:
        """Everything at one moment."""
        self._rest(0.05)
        return status_of(self.parts, self.stage, self.alerts(), self.now())

    def why(self, name: str | None = None) -> WhyResult:
        """The crashed service, and the run that failed."""
        self._rest(0.2)
        problems = [one for one in self._problems() if name is None or one.subject.name.startswith(name)]
        return WhyResult(self.name, self.now(), None, tuple(problems), ())

    def up(self, report: Report) -> object:
        """Start what does not run."""
        waiting = [part.name for part in PARTS if not self.parts.running(part.name)]
        for name in waiting:
            self._start(name, report)
        report(Noted("Everything runs." if waiting else "Everything ran already."))
        self._audited("up", "")
        return None

    def down(self, report: Report) -> object:
        """Stop everything."""
        for part in reversed(PARTS):
            self._stop(part.name, report)
        self._audited("down", "")
        return None

    def start(self, service: str, report: Report) -> object:
        """Start a service."""
        self._start(service, report)
        self._audited("start", service)
        return None

    def stop(self, service: str, report: Report) -> object:
        """Stop a service."""
        self._stop(service, report)
        self._audited("stop", service)
        return None

    def restart(self, service: str, report: Report) -> object:
        """Stop and start a service."""
        self._stop(service, report)
        self._start(service, report)
        self._audited("restart", service)
        return None

    def page(self, service: str) -> str:
        """An address that leads nowhere."""
        found = next(part for part in PARTS if part.name == service)
        if not found.page:
            raise UsageError(f"{service} has no page.", code="NO_PAGE")
        return f"http://127.0.0.1:{found.port}"

    def shell(self, service: str) -> int:
        """A shell that is nowhere in particular."""
        return interact(["sh", "-c", f"echo 'The demo has no {service}: this is your own shell.'; exec sh"])

    def follow_logs(self, query: LogQuery, over: Callable[[], bool]) -> Iterator[LogLine]:
        """The last hour, then a line now and then."""
        yield from (line for line in history(self.stage, self.now()) if self._wanted(query, line))
        told = self.now()
        while not over():
            time.sleep(1 / self.rate if self.rate < 1000 else 0.02)
            for _ in range(max(int(self.rate * 0.02), 1)):
                line = new_line(self.random, self.now())
                if self._wanted(query, line):
                    yield line
            now = self.now()
            for played in self.stage.played[:5]:
                yield from (one for one in played.log(now) if told < one.timestamp <= now and self._wanted(query, one))
            told = now

    def workflows(self) -> WorkflowList:
        """Three workflows, one of them with a finding."""
        self._rest(0.2)
        return WorkflowList(WORKFLOWS, ())

    def validate(self) -> Validated:
        """The one finding."""
        self._rest(0.3)
        return Validated(tuple(one.name for one in WORKFLOWS), (_FINDING,), 0.3)

    def runs(self, workflow: str | None = None) -> RunList:
        """All runs, the newest first."""
        self._rest(0.05)
        now = self.now()
        return RunList(tuple(one.detail(now).run for one in self.stage.played if workflow in (None, one.workflow)))

    def run(self, run_id: str) -> RunDetail:
        """One run with its steps."""
        self._rest(0.05)
        return self._played(run_id).detail(self.now())

    def run_log(self, run_id: str, step: str | None = None) -> tuple[LogLine, ...]:
        """What a run has written."""
        self._rest(0.1)
        return tuple(line for line in self._played(run_id).log(self.now()) if step in (None, line.step))

    def launch(self, options: RunOptions, report: Report) -> Launched:
        """Begin a run; a parameter `days` must be more than 0."""
        self._rest(0.2)
        if "days=0" in options.values:
            raise UsageError("days must be at least 1.", code="PARAMETER_INVALID", hint="Give a number from 1 to 365.")
        if options.dry_run:
            return Launched(options.workflow, None, "dagster", {}, ())
        run = self.stage.begin(options.workflow)
        report(Noted(f"Run {run.id[:8]} of {run.workflow} on the running Dagster."))
        self._audited("workflow run", run.workflow)
        return Launched(run.workflow, run.id, "dagster", {}, ())

    def cancel(self, run_id: str, report: Report) -> object:
        """End a run."""
        run = self._played(run_id)
        if run.detail(self.now()).run.state in FINISHED:
            raise UsageError(f"The run {run_id[:8]} has ended already.", code="RUN_FINISHED")
        report(StepChanged(f"run {run_id[:8]}", "started", "cancelling"))
        self._rest(0.5)
        run.canceled = self.now()
        self._audited("workflow cancel", run_id)
        return None

    def retry(self, run_id: str, report: Report, *, from_failure: bool) -> Launched:
        """Begin a run like an earlier one."""
        before = self._played(run_id)
        run = self.stage.begin(before.workflow, {"dagster/parent_run_id": before.id})
        what = "what did not succeed" if from_failure else "all"
        report(Noted(f"Run {run.id[:8]} of {run.workflow}, {what} of {before.id[:8]}."))
        self._audited("workflow retry", before.id)
        return Launched(run.workflow, run.id, "dagster", {}, ())

    def schedules(self) -> ScheduleList:
        """Two schedules; Dagster keeps them."""
        self._rest(0.1)
        if not self.parts.running("dagster-webserver"):
            actions = (Action("Start the platform", "dataflow up"),)
            raise MissingError(
                "Dagster does not run, and it keeps the schedules.", code="SERVICE_DOWN", actions=actions
            )
        upcoming = (self.now().replace(minute=0, second=0) + timedelta(hours=1),)
        crons = {one.name: one.schedule or "" for one in WORKFLOWS}
        found = [Schedule(name, name, crons[name], "UTC", on, upcoming) for name, on in self._schedules.items()]
        return ScheduleList(tuple(found))

    def switch_schedule(self, workflow: str, *, on: bool) -> object:
        """On or off."""
        self._schedules[workflow] = on
        self._audited(f"workflow schedule {'on' if on else 'off'}", workflow)
        return None

    def tables(self) -> KnownTables:
        """The tables of the warehouse in memory."""
        return self.house.tables(self._computed())

    def preview(self, table: str, cancel: Cancel) -> QueryResult:
        """The first rows of a table."""
        self._rest(0.1)
        return self.house.query(f"SELECT * FROM {table}", cancel, limit=200)

    def profile(self, table: str, cancel: Cancel) -> QueryResult:
        """Statistics of a table's columns."""
        return self.house.query(f"SELECT * FROM (SUMMARIZE {table})", cancel)

    def query(self, sql: str, cancel: Cancel) -> QueryResult:
        """The answer to a SELECT."""
        return self.house.query(sql, cancel)

    def export(self, what: str, path: Path) -> FileWritten:
        """Pretend to write a file."""
        return self.house.export(what, path)

    def alerts(self) -> AlertList:
        """What fires while the service is down, and because a run failed."""
        since = self.now() - timedelta(minutes=14)
        found = [Alert("b41", "JobFailed", "warning", "firing", "The last run of orders failed.",
                       "dataflow why orders", since, {"workflow": "orders"})]  # fmt: skip
        if not self.parts.running(CRASHED):
            summary = f"{CRASHED} has been down for more than 2 minutes."
            action = f"dataflow why {CRASHED}"
            found.insert(
                0, Alert("a07", "ServiceDown", "critical", "firing", summary, action, since, {"service": CRASHED})
            )
        return AlertList(tuple(self._as_handled(one) for one in found), "alertmanager", self.now())

    def acknowledge(self, alert: str, comment: str) -> object:
        """Somebody looks after it."""
        self._handled[alert] = ("acknowledged", comment)
        self._audited("alerts ack", alert)
        return None

    def silence(self, alert: str, length: str, comment: str) -> object:
        """Nobody is told for a time."""
        if not length[:-1].isdigit():
            raise UsageError(
                f"'{length}' is no length of time for this.", code="TIME_INVALID", hint="Use 30m, 4h or 2d."
            )
        for one in self.alerts().alerts:
            if one.name == alert:
                self._handled[one.id] = ("silenced", comment)
        self._audited("alerts silence", alert)
        return None

    def checks(self) -> CheckList:
        """Three checks."""
        computed = self._computed()
        return CheckList(
            (
                CheckSeen("marts/revenue", "not_negative", False, "warning", computed["marts/revenue"]),
                CheckSeen("marts/customers", "unique", True, "error", computed["marts/customers"]),
                CheckSeen("marts/nightscout_daily", "coverage", True, "error", computed["marts/nightscout_daily"]),
            )
        )

    def audit(self) -> AuditTrail:
        """What was done in the demo, the newest first."""
        return AuditTrail(tuple(reversed(self._audit)))

    def _problems(self) -> Iterator[Problem]:
        now = self.now()
        if not self.parts.running(CRASHED):
            fact = Fact("its last words", "mmap /loki/chunks: cannot allocate memory", CRASHED, now)
            affects = (Subject("service", "alloy"), Subject("service", "grafana"))
            helps = (
                Action("Start it again", f"dataflow start {CRASHED}"),
                Action("Read its log", f"dataflow logs {CRASHED}"),
            )
            words = f"{CRASHED} used more memory than the 512 MB it may, and was killed."
            yield Problem(Subject("service", CRASHED), "out-of-memory", words, (fact,), affects, helps)
        last = next(one for one in self.stage.played if one.workflow == "orders").detail(now)
        if last.run.state == "failure" and last.progress.failed:
            step = last.progress.failed
            helps = (
                Action("Run what did not succeed again", f"dataflow workflow retry {last.run.id[:8]} --from-failure"),
            )
            facts = (Fact("error", step.error or ""),)
            words = "The source of raw/orders does not answer: HTTP 503."
            yield Problem(
                Subject("run", last.run.id), "source-down", words, facts, (Subject("workflow", "orders"),), helps
            )

    def _computed(self) -> dict[str, datetime]:
        now = self.now()
        found: dict[str, datetime] = {}
        for played in self.stage.played:
            for step in played.detail(now).progress.steps:
                if step.state == "success" and step.started:
                    found.setdefault(step.name.replace("__", "/"), step.started)
        return found

    def _as_handled(self, alert: Alert) -> Alert:
        if alert.id not in self._handled:
            return alert
        state, comment = self._handled[alert.id]
        until = self.now() + timedelta(hours=4)
        return Alert(alert.id, alert.name, alert.severity, state, alert.summary, alert.action, alert.since,
                     alert.labels, "you", comment, until)  # fmt: skip

    def _played(self, run_id: str) -> Played:
        found = self.stage.find(run_id)
        if found is None:
            raise RunFailedError(f"There is no run '{run_id}'.", code="RUN_UNKNOWN")
        return found

    def _start(self, name: str, report: Report) -> None:
        report(StepChanged(name, "started", "starting"))
        self.parts.set(name, "starting")
        self._rest(0.8)
        self.parts.set(name, "running")
        report(StepChanged(name, "done", "healthy", 0.8 * self.pace))

    def _stop(self, name: str, report: Report) -> None:
        report(StepChanged(name, "started", "stopping"))
        self._rest(0.4)
        self.parts.set(name, "stopped")
        report(StepChanged(name, "done", "stopped", 0.4 * self.pace))

    def _audited(self, what: str, detail: str) -> None:
        with self._lock:
            self._audit.append(AuditLine(self.now(), "you", what, detail, "done"))

    def _rest(self, seconds: float) -> None:
        if self.pace:
            time.sleep(seconds * self.pace)

    @staticmethod
    def _wanted(query: LogQuery, line: LogLine) -> bool:
        return (not query.services or line.service in query.services) and query.wanted(line)
