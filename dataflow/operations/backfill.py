"""Run a workflow for many of its partitions, a few at a time, and go on where that was cut off.

What was asked for is a file; what came of it is in the run history, by a tag. So nothing is lost with the process that
drives a backfill: another one reads both and starts what is missing. Runs that were started go on without it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dataflow.errors import Action, BackendError, RunFailedError
from dataflow.events import Noted, Report, StepChanged
from dataflow.models import FINISHED, Run
from dataflow.operations import backfill_plans as plans
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.backfill_plans import TAG, BackfillPlan
from dataflow.operations.context import Context
from dataflow.operations.run import Checked, RunOptions, ask, carried_by, check
from dataflow.operations.runs import reconcile
from dataflow.workflows import partitions, workers

_POLL = 0.5
_AWAY = 120.0  # seconds that Dagster may be away


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """`partitions`: texts as `workflows.partitions.chosen` takes them. `missing`: only those that never succeeded."""

    workflow: str
    partitions: tuple[str, ...]
    values: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    missing: bool = False
    max_parallel: int = 4


@dataclass(frozen=True, slots=True)
class PartitionRun:
    """How far one partition is: `waiting` until it has a run."""

    key: str
    state: str = "waiting"
    run_id: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill and its partitions, in their order."""

    id: str
    workflow: str
    partitions: tuple[PartitionRun, ...]
    max_parallel: int

    def count(self, *states: str) -> int:
        """How many partitions are in any of these states."""
        return sum(part.state in states for part in self.partitions)


@dataclass(frozen=True, slots=True)
class BackfillList:
    """The newest backfills, the newest first."""

    backfills: tuple[Backfill, ...]


def plan(context: Context, options: BackfillOptions) -> BackfillPlan:
    """Say what a backfill would run, having checked all that can be checked.

    Raises:
        UsageError: as `run.launch`, and PARTITION_RANGE.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
    """
    asked = RunOptions(options.workflow, options.values, options.assets, options.tags)
    info = check(context, asked).info
    keys = partitions.chosen(info, options.partitions)
    if options.missing:
        done = {run.tags.get(partitions.TAG) for run in _succeeded(context, info.name)}
        keys = [key for key in keys if key not in done]
    given = (options.values, options.assets, options.tags)
    return plans.make(info.name, keys, *given, max_parallel=options.max_parallel)


def carry_out(context: Context, plan: BackfillPlan, report: Report) -> Backfill:
    """Run every partition of the plan that has no successful run in this backfill yet.

    Raises:
        RunFailedError: BACKFILL_FAILED, with the partitions that failed; the others were run all the same.
        MissingError: SERVICE_DOWN.
        BackendError: BACKEND_DOWN where Dagster stays away.
    """
    checked = check(context, RunOptions(plan.workflow, plan.values, plan.assets, plan.tags))
    checked = replace(checked, tags={**checked.tags, TAG: plan.id})
    preflight.require_services(context, checked.info)
    if carried_by(context) == "dagster":
        code.refresh(context, plan.workflow)
    plans.save(context.paths, plan)
    with audited(context, "workflow backfill", f"{plan.workflow} {plan.id}"):
        done = _Driver(context, plan, checked, report).drive()
    _raise_unless_good(done)
    return done


def observe(context: Context, plan: BackfillPlan) -> Backfill:
    """How far a backfill is, by the run history."""
    reconcile(context)
    return _backfill(plan, _runs(context, plan))


def newest(context: Context, limit: int = 10) -> BackfillList:
    """The newest backfills and how far they are."""
    return BackfillList(tuple(observe(context, one) for one in plans.every(context.paths)[:limit]))


@dataclass(slots=True)
class _Driver:
    """Starts runs and watches them. `started`: runs that the history may not know yet. `again`: failed before."""

    context: Context
    plan: BackfillPlan
    checked: Checked
    report: Report
    started: dict[str, str] = field(default_factory=dict[str, str])
    again: set[str] = field(default_factory=set[str])
    told: set[str] = field(default_factory=set[str])

    def drive(self) -> Backfill:
        """Until every partition has ended."""
        before = _runs(self.context, self.plan)
        self.told = {run.id for run in before.values() if run.state in FINISHED}
        self.again = {key for key, run in before.items() if run.state in FINISHED and run.state != "success"}
        away = None
        while True:
            try:
                now = self._step()
            except BackendError as error:
                away = away or time.monotonic()
                self._bear(error, time.monotonic() - away)
                continue
            away = None
            if not now.count("waiting", "queued", "running"):
                return now
            time.sleep(_POLL)

    def _step(self) -> Backfill:
        reconcile(self.context)
        runs = _runs(self.context, self.plan)
        now = self._with_started(_backfill(self.plan, runs))
        self._tell(now)
        free = self.plan.max_parallel - now.count("queued", "running")
        for part in [part for part in now.partitions if part.state == "waiting"][: max(free, 0)]:
            self.started[part.key] = ask(self.context, self.checked, part.key)
            self.again.discard(part.key)
        return now

    def _with_started(self, seen: Backfill) -> Backfill:
        """What failed before waits once more; what was started and is not in the history yet is queued, or dead."""
        parts = [self._one(part) for part in seen.partitions]
        return replace(seen, partitions=tuple(parts))

    def _one(self, part: PartitionRun) -> PartitionRun:
        if part.key in self.again:
            return PartitionRun(part.key)
        run_id = self.started.get(part.key)
        if run_id is None or run_id == part.run_id:
            return part
        worker = workers.find(self.context.paths, run_id)
        dead = worker is not None and not worker.alive
        return PartitionRun(part.key, "failure" if dead else "queued", run_id)

    def _tell(self, now: Backfill) -> None:
        ended = now.count(*FINISHED) - len(self._untold(now))
        for number, part in enumerate(self._untold(now), ended + 1):
            self.told.add(part.run_id or "")
            state = "done" if part.state == "success" else "failed"
            where = f"run {(part.run_id or '')[:8]}, {number} of {len(now.partitions)}"
            self.report(StepChanged(part.key, state, where, part.seconds))

    def _untold(self, now: Backfill) -> list[PartitionRun]:
        return [part for part in now.partitions if part.state in FINISHED and part.run_id not in self.told]

    def _bear(self, error: BackendError, seconds: float) -> None:
        if seconds > _AWAY:
            raise _with_way_on(error, self.plan) from error
        if seconds < 1:
            self.report(Noted("Dagster does not answer: waiting for it. Runs that were started go on.", warning=True))
        time.sleep(1)


def _with_way_on(error: BackendError, plan: BackfillPlan) -> BackendError:
    """The same error, which says how to go on with the backfill."""
    return BackendError(error.message, code=error.code, hint=error.hint, actions=(_resume(plan.id),), retryable=True)


def _backfill(plan: BackfillPlan, runs: Mapping[str, Run]) -> Backfill:
    return Backfill(plan.id, plan.workflow, tuple(_part(key, runs.get(key)) for key in plan.keys), plan.max_parallel)


def _part(key: str, run: Run | None) -> PartitionRun:
    if run is None:
        return PartitionRun(key)
    state = run.state if run.state in FINISHED or run.state == "queued" else "running"
    return PartitionRun(key, state, run.id, run.seconds)


def _runs(context: Context, plan: BackfillPlan) -> dict[str, Run]:
    """The newest run of each partition in this backfill."""
    limit = 10 * len(plan.keys) + 10
    found = context.history().runs(workflow=plan.workflow, tags={TAG: plan.id}, limit=limit)
    return {run.tags[partitions.TAG]: run for run in reversed(found) if partitions.TAG in run.tags}


def _succeeded(context: Context, workflow: str) -> list[Run]:
    return context.history().runs(workflow=workflow, states=("success",), limit=100_000)


def _raise_unless_good(done: Backfill) -> None:
    failed = [part for part in done.partitions if part.state != "success"]
    if not failed:
        return
    shown = ", ".join(part.key for part in failed[:5]) + (", …" if len(failed) > 5 else "")
    message = f"{len(failed)} of {len(done.partitions)} partitions of {done.workflow} failed: {shown}."
    first = (failed[0].run_id or "")[:8]
    actions = (Action("See why", f"dataflow why {first}"), _resume(done.id))
    raise RunFailedError(message, code="BACKFILL_FAILED", actions=actions, data=done)


def _resume(plan_id: str) -> Action:
    return Action("Run what is missing", f"dataflow workflow backfill --resume {plan_id}")
