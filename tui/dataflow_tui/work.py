"""Work: an operation that takes a while, what it tells of itself meanwhile, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dataflow.events import Event, LogSeen, Noted, Progressed, Report, StepChanged
from dataflow_tui.feeds import Trouble

_MOST = 500


@dataclass
class Work:
    """One operation under way. Only the event loop changes it."""

    title: str
    call: Callable[[Report], Any]
    then: Callable[[Any], None] | None = None
    quiet: bool = False
    failed: Callable[[Trouble], None] | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    running: dict[str, str] = field(default_factory=dict[str, str])
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    trouble: Trouble | None = None

    @property
    def seconds(self) -> float:
        """How long it has been going on, or took."""
        return (self.ended or time.monotonic()) - self.began

    @property
    def state(self) -> str:
        """started, done or failed."""
        if self.ended is None:
            return "started"
        return "failed" if self.trouble else "done"

    def hear(self, event: Event) -> None:
        """Take an event of the operation."""
        match event:
            case StepChanged(step, "started", detail):
                self.running[step] = detail
            case StepChanged(step, state, detail, seconds):
                self.running.pop(step, None)
                took = f"  {seconds:.1f} s" if seconds is not None else ""
                self._tell(state, f"{step}  {detail}".rstrip() + took)
            case Progressed(step, done, total, unit):
                self.running[step] = f"{done:,}{f' of {total:,}' if total else ''} {unit}".strip()
            case Noted(message, warning):
                self._tell("warning" if warning else "", message)
            case LogSeen(source, level, message):
                self._tell(level if level in {"warning", "error", "critical"} else "", f"{source}: {message}")

    def end(self, error: Exception | None) -> None:
        """It has ended, well or not."""
        self.ended = time.monotonic()
        self.running.clear()
        self.trouble = Trouble.of(error) if error else None

    def _tell(self, state: str, text: str) -> None:
        self.told.append((state, text))
        del self.told[:-_MOST]


@dataclass(frozen=True, slots=True)
class Told:
    """What a thread says of its work: an event, or with `over` the end."""

    work: Work
    event: Event | None = None
    over: bool = False
    result: Any = None
    error: Exception | None = None


def begin(work: Work, post: Callable[[Told], object]) -> None:
    """Carry the work out in a thread of its own, which tells the event loop and touches nothing."""

    def carry_out() -> None:
        try:
            result = work.call(lambda event: (post(Told(work, event)), None)[1])
        except Exception as error:  # noqa: BLE001 - whatever it ends with is shown
            post(Told(work, over=True, error=error))
        else:
            post(Told(work, over=True, result=result))

    threading.Thread(target=carry_out, name=f"work {work.title}", daemon=True).start()
