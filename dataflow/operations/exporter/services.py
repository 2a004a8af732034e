"""Services: whether each answers, and how often one ended by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dataflow.engines import probes, stack
from dataflow.engines.supervisor import crashes
from dataflow.operations.exporter.metrics import Reading

_TIMEOUT = 3.0
Restarts = Callable[[dict[str, bool]], dict[str, int]]
"""How often each service ended by itself, from what answers now."""


class ServiceSource:
    """Asks every service that the engine brought up, at the same time."""

    name = "services"
    every = 10.0

    def __init__(self, run: Path, restarts: Restarts) -> None:
        self._run = run
        self._restarts = restarts
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="probe")

    def read(self) -> Iterator[Reading]:
        """Whether they answer."""
        targets = probes.load(self._run)
        answers = self._pool.map(lambda target: target.answers(_TIMEOUT), targets)
        up = {target.service: answer for target, answer in zip(targets, answers, strict=True)}
        for service, answer in up.items():
            yield Reading("dataflow_service_up", (service,), float(answer))
        for service, count in self._restarts(up).items():
            yield Reading("dataflow_service_restarts_total", (service,), count)


class SupervisedRestarts:
    """The native engine's: supervisord writes down every end that nobody asked for."""

    def __init__(self, run: Path, stack_file: Path) -> None:
        self._run = run
        self._stack = stack_file

    def __call__(self, up: dict[str, bool]) -> dict[str, int]:
        """Ends since each service was asked for."""
        asked = stack.load(self._stack).asked
        past = crashes(self._run / "supervisord.log", asked)
        return {service: len(past.get(service, ())) for service in up}


class SeenRestarts:
    """The docker engine's, which has no socket to ask: a service that answered and no longer does has ended."""

    def __init__(self) -> None:
        self._before: dict[str, bool] = {}
        self._ends: dict[str, int] = {}

    def __call__(self, up: dict[str, bool]) -> dict[str, int]:
        """Ends since the exporter began."""
        for service, answers in up.items():
            lost = self._before.get(service, False) and not answers
            self._ends[service] = self._ends.get(service, 0) + lost
        self._before = up
        return {service: self._ends[service] for service in up}
