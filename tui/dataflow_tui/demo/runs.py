"""The runs of the demo: each goes through its steps as time passes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from dataflow.models import LogLine, Run, StepRun
from dataflow.operations.following import CheckOutcome, Progress
from dataflow.operations.runs import RunDetail
from dataflow_tui.demo.cast import STEPS, WORKFLOWS

Clock = Callable[[], datetime]
_FAULT = "IOException: HTTP 503 from https://example.com/api/orders [/entries] after 3 attempts"


@dataclass
class Played:
    """One run: when it began, at which step it fails, if it does, and how much longer than usual it takes."""

    id: str
    workflow: str
    began: datetime
    fails_at: int | None = None
    canceled: datetime | None = None
    stretch: float = 1.0
    tags: dict[str, str] = field(default_factory=dict[str, str])

    def detail(self, now: datetime) -> RunDetail:
        """The run with its steps, as it is at a moment."""
        steps: list[StepRun] = []
        at, over = self.began, False
        limit = self.canceled or now
        for number, (name, seconds) in enumerate(STEPS[self.workflow]):
            end = at + timedelta(seconds=seconds * self.stretch)
            if over or limit < at:
                steps += [StepRun(name, "skipped")] if over or self.canceled else []
            elif limit < end:
                steps.append(StepRun(name, "failure" if self.canceled else "running", at))
            elif number == self.fails_at:
                steps.append(StepRun(name, "failure", at, seconds * self.stretch, _FAULT))
                over = True
            else:
                steps.append(StepRun(name, "success", at, seconds * self.stretch))
            at = end
        return RunDetail(self._run(steps, now, at), Progress(tuple(steps), self._checks(steps)))

    def log(self, now: datetime) -> list[LogLine]:
        """What its steps have written until a moment."""
        found: list[LogLine] = []
        for step in self.detail(now).progress.steps:
            if step.started is not None:
                found += self._lines(step)
        return found

    def _run(self, steps: list[StepRun], now: datetime, end: datetime) -> Run:
        state = "success"
        if self.canceled:
            state, end = "canceled", self.canceled
        elif any(step.state == "failure" for step in steps):
            state = "failure"
            end = max(step.started + timedelta(seconds=step.seconds or 0) for step in steps if step.started)
        elif now < end:
            return Run(self.id, self.workflow, "running", self.began, self.began, None, self.tags)
        return Run(self.id, self.workflow, state, self.began, self.began, end, self.tags)  # pyright: ignore[reportArgumentType]

    def _checks(self, steps: list[StepRun]) -> tuple[CheckOutcome, ...]:
        done = {step.name.replace("__", "/") for step in steps if step.state == "success"}
        named = next(one.checks for one in WORKFLOWS if one.name == self.workflow)
        return tuple(CheckOutcome(name, passed=True) for name in named if name.partition(":")[0] in done)

    def _lines(self, step: StepRun) -> list[LogLine]:
        def line(level: str, message: str, after: float, **context: object) -> LogLine:
            time = (step.started or self.began) + timedelta(seconds=after)
            return LogLine(time, level, message, "worker", self.id, step.name, context, self.workflow)

        rows = 1000 + sum(step.name.encode()) * 7
        lines = [line("info", f"Begins with {step.name}", 0.0), line("info", f"Read {rows:,} rows", 0.2, rows=rows)]
        if step.state == "failure" and step.error:
            lines.append(line("error", step.error, step.seconds or 0.5, attempt=3))
        elif step.state == "success":
            lines.append(line("info", f"Wrote {rows:,} rows", step.seconds or 0.5, rows=rows))
        return lines


class Stage:
    """Every run there is, the newest first."""

    def __init__(self, clock: Clock, random: Random, stretch: float = 1.0) -> None:
        self._clock = clock
        self._random = random
        self._stretch = stretch
        self.played: list[Played] = []
        now = clock()
        for hours in range(8, 0, -1):
            fails = 0 if hours == 1 else None
            self._add("orders", now - timedelta(hours=hours, minutes=3), fails_at=fails)
        for days in range(3, 0, -1):
            self._add("nightscout", now - timedelta(days=days) + timedelta(hours=2))
        self._add("weather", now - timedelta(days=6))
        self.played.sort(key=lambda one: one.began, reverse=True)

    def begin(self, workflow: str, tags: dict[str, str] | None = None) -> Played:
        """A run that begins now."""
        return self._add(workflow, self._clock(), tags=tags or {}, stretch=self._stretch)

    def find(self, run_id: str) -> Played | None:
        """A run by the beginning of its id."""
        return next((one for one in self.played if one.id.startswith(run_id)), None)

    def _add(self, workflow: str, began: datetime, **more: object) -> Played:
        made = Played(str(uuid.UUID(int=self._random.getrandbits(128), version=4)), workflow, began, **more)  # pyright: ignore[reportArgumentType]
        self.played.insert(0, made)
        return made
