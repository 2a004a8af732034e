"""The native exporter's second work: evaluate the rules every ten seconds, and tell who wants to know."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event, Thread

from dataflow.clients.alertmanager import Silence
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import load
from dataflow.errors import DataflowError
from dataflow.operations.alerting.board import Board
from dataflow.operations.alerting.channels import Teller, channels
from dataflow.operations.alerting.evaluate import Active, Evaluation
from dataflow.operations.alerting.notices import notice_of
from dataflow.operations.alerting.rules import load_rules
from dataflow.operations.exporter.collector import Collector

_log = logging.getLogger(__name__)
EVERY = 10.0
"""Seconds between two evaluations."""
FILE = "alerts.jsonl"


class Watch:
    """Evaluates in a thread of its own until it is stopped."""

    def __init__(self, paths: ProjectPaths, env: Mapping[str, str], collector: Collector) -> None:
        self._board = Board(paths)
        self._collector = collector
        loaded = load(paths, flags={}, environ=env)
        variables = {**loaded.env, **env}
        self._teller = Teller(channels(loaded.settings.alerts, variables, paths.state / FILE))
        self._told: dict[str, Active] = self._board.last().firing  # by the exporter before
        self._ended = Event()

    def start(self) -> None:
        """Begin."""
        Thread(target=self._work, name="alerts", daemon=True).start()

    def stop(self) -> None:
        """End before the next look."""
        self._ended.set()

    def _work(self) -> None:
        while True:
            try:
                self.look()
            except DataflowError as error:  # a full disk passes; the next look may succeed
                _log.error("the alert rules could not be evaluated: %s", error.message)
            if self._ended.wait(EVERY):
                return

    def look(self) -> Evaluation:
        """Evaluate once, and tell of what fires and was not told yet, and of what is over and was told.

        What a silence hides is told when the silence ends, if it fires still.

        Raises:
            MissingError: BUSY.
            OperationFailedError: DISK_FULL, NOT_WRITABLE.
        """
        found = self._board.look(self._collector.readings(patience=5.0), time.time())
        now = datetime.now(UTC)
        silences = [one for one in self._board.silences() if one.holds(now)]
        new = [one for name, one in found.firing.items() if name not in self._told and not is_silenced(one, silences)]
        over = [one for name, one in self._told.items() if name not in found.firing]
        self._teller.tell([*(notice_of(one, "firing") for one in new), *(notice_of(one, "resolved") for one in over)])
        self._told = {name: one for name, one in found.firing.items() if name in self._told or one in new}
        return found


def labels_of(active: Active) -> dict[str, str]:
    """An alert's labels as Prometheus would give them: with its name and severity."""
    severity = next((rule.severity for rule in load_rules() if rule.name == active.rule), "warning")
    return {"alertname": active.rule, "severity": severity, **active.labels}


def is_silenced(active: Active, silences: list[Silence]) -> bool:
    """Whether one of these silences covers it."""
    return any(silence.covers(labels_of(active)) for silence in silences)
