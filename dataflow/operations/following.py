"""Fold the events of a run into what a person wants to know: which steps, how far, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataflow.clients.runs import RunEvent
from dataflow.events import Event, LogSeen, StepChanged
from dataflow.models import StepRun


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One asset check: `ASSET:CHECK`, and whether it held."""

    name: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """The steps and checks of a run so far. `error` is the run's own, where no step carries it."""

    steps: tuple[StepRun, ...]
    checks: tuple[CheckOutcome, ...]
    error: str | None = None

    @classmethod
    def empty(cls) -> Progress:
        """Nothing has happened yet."""
        return cls((), ())

    def after(self, events: Sequence[RunEvent]) -> Progress:
        """The progress after these events."""
        now = self
        for event in events:
            now = now._with(event)
        return now

    @property
    def failed(self) -> StepRun | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.state == "failure"), None)

    def _with(self, event: RunEvent) -> Progress:
        if event.kind == "check" and event.passed is not None:
            return replace(self, checks=(*self.checks, CheckOutcome(event.message, event.passed)))
        if event.kind == "run" and event.error:
            return replace(self, error=event.error)
        if event.kind == "run" and event.level == "error":
            return replace(self, error=self.error or event.message)
        if event.step is None or not event.kind.startswith("step-"):
            return self
        known = {step.name: step for step in self.steps}
        known[event.step] = _step(known.get(event.step), event)
        return replace(self, steps=tuple(known.values()))


def _step(before: StepRun | None, event: RunEvent) -> StepRun:
    name = event.step or ""
    started = before.started if before else None
    seconds = round((event.time - started).total_seconds(), 3) if started else None
    match event.kind:
        case "step-started":
            return StepRun(name, "running", event.time)
        case "step-succeeded":
            return StepRun(name, "success", started, seconds)
        case "step-failed":
            return StepRun(name, "failure", started, seconds, event.error or event.message)
        case _:
            return StepRun(name, "skipped", started, seconds)


def reported(event: RunEvent, before: Progress) -> Event | None:
    """What a person following the run is told of an event."""
    started = {step.name: step.started for step in before.steps}.get(event.step or "")
    seconds = (event.time - started).total_seconds() if started else None
    match event.kind:
        case "step-started":
            return StepChanged(event.step or "", "started")
        case "step-succeeded":
            return StepChanged(event.step or "", "done", seconds=seconds)
        case "step-failed":
            return StepChanged(event.step or "", "failed", event.error or event.message, seconds)
        case "step-skipped":
            return StepChanged(event.step or "", "skipped", event.message)
        case "check" if event.passed is False:
            return StepChanged(f"check {event.message}", "failed")
        case "log" if event.level in {"info", "warning", "error", "critical"}:
            return LogSeen(event.step or "run", event.level, event.message)
        case _:
            return None
