"""The services of the demo as they are now: their states, and what they use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from dataflow.models import Health, PortUse, ServiceState, ServiceStatus
from dataflow_tui.demo.cast import CRASHED, PARTS, Part


class Parts:
    """Which services run, and since when."""

    def __init__(self, clock: Callable[[], datetime], random: Random) -> None:
        self._clock = clock
        self._random = random
        begun = clock() - timedelta(hours=9, minutes=12)
        self._states: dict[str, tuple[ServiceState, datetime]] = {part.name: ("running", begun) for part in PARTS}
        self._states[CRASHED] = ("failed", clock() - timedelta(minutes=16))

    def set(self, name: str, state: ServiceState) -> None:
        """From now on it is so."""
        self._states[name] = (state, self._clock())

    def running(self, name: str) -> bool:
        """Whether it runs."""
        return self._states[name][0] == "running"

    def all(self) -> tuple[ServiceStatus, ...]:
        """Every service."""
        return tuple(self._status(part) for part in PARTS)

    def _status(self, part: Part) -> ServiceStatus:
        state, since = self._states[part.name]
        runs = state == "running"
        wave = self._random.uniform(0.6, 1.6)
        ports = (PortUse("http", part.port, part.port),) if part.port else ()
        return ServiceStatus(
            part.name,
            part.label,
            part.group,
            state,
            self._health(part, runs=runs),
            since=since,
            url=f"http://127.0.0.1:{part.port}" if part.page else None,
            pid=1000 + sum(part.name.encode()) if runs else None,
            memory=int(part.memory * 1e6 * (0.97 + wave / 50)) if runs else None,
            restarts=3 if part.name == CRASHED and not runs else 0,
            ports=ports,
            image=part.image,
            cpu=round(part.cpu * wave, 1) if runs else None,
            detail="exited with 137: it used more memory than it may" if state == "failed" else "",
        )

    def _health(self, part: Part, *, runs: bool) -> Health:
        if not runs:
            return "none"
        return "healthy" if all(self.running(name) for name in part.needs) else "unhealthy"
