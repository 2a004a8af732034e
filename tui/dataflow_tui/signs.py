"""The sign and the tone of every state: a colour never says anything alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from dataflow.models import ServiceStatus

Tone = Literal["good", "warn", "bad", "busy", "quiet"]

STATES: dict[str, tuple[str, Tone]] = {
    "running": ("●", "good"),
    "healthy": ("●", "good"),
    "completed": ("✓", "good"),
    "success": ("✓", "good"),
    "up": ("●", "good"),
    "done": ("✓", "good"),
    "passed": ("✓", "good"),
    "starting": ("◐", "busy"),
    "restarting": ("◐", "busy"),
    "queued": ("◌", "busy"),
    "canceling": ("◐", "busy"),
    "started": ("◐", "busy"),
    "degraded": ("▲", "warn"),
    "paused": ("‖", "warn"),
    "skipped": ("-", "quiet"),
    "canceled": ("⊘", "warn"),
    "warning": ("▲", "warn"),
    "pending": ("◌", "warn"),
    "acknowledged": ("✓", "quiet"),
    "silenced": ("∅", "quiet"),
    "unhealthy": ("✗", "bad"),
    "crash-loop": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "failure": ("✗", "bad"),
    "firing": ("▲", "bad"),
    "error": ("✗", "bad"),
    "critical": ("✗", "bad"),
    "stopped": ("○", "quiet"),
    "unavailable": ("-", "quiet"),
    "down": ("○", "quiet"),
    "unknown": ("?", "warn"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of the theme in use, by what they mean."""

    good: str
    warn: str
    bad: str
    busy: str
    quiet: str
    accent: str
    text: str
    back: str

    def of(self, tone: Tone) -> str:
        """The colour of a tone."""
        return str(getattr(self, tone))

    def state(self, state: str, word: str | None = None) -> Text:
        """A state: its sign and its word."""
        sign, tone = STATES.get(state, ("?", "warn"))
        return Text(f"{sign} {state if word is None else word}".rstrip(), style=self.of(tone), no_wrap=True)


def service_state(service: ServiceStatus) -> str:
    """The one word for a service: its health where that says more than that it runs."""
    if service.state == "running" and service.health in {"unhealthy", "starting"}:
        return service.health
    return service.state
