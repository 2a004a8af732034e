"""What long work reports while it goes on. `report(event)` is the only output below the faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["started", "done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class StepChanged:
    """One named part of the work began or ended. `seconds` is how long it took, when it ended."""

    step: str
    state: State
    detail: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far one part of the work is. `total` is None where nobody knows it."""

    step: str
    done: int
    total: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class LogSeen:
    """A line of somebody's log that belongs to the work going on."""

    source: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should know, without being an error. `warning` asks for attention."""

    message: str
    warning: bool = False


Event = StepChanged | Progressed | LogSeen | Noted
Report = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A report for callers that do not care."""
