"""The native engine's own Alertmanager: what fires, what is silenced, in two files of the project's state.

.dataflow/alerts.json     the last evaluation: written by the exporter, or by a command while it does not run
.dataflow/silences.json   silences and acknowledgements: written by commands
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from dataflow.clients.alertmanager import Matcher, Silence
from dataflow.config.paths import ProjectPaths
from dataflow.errors import UsageError
from dataflow.events import ignore
from dataflow.operations.alerting.evaluate import Evaluation, evaluate, from_json
from dataflow.operations.exporter.metrics import Reading
from dataflow.system.files import exclusive, read_state, write_json

_KEPT = 7 * 86400.0  # seconds for which a silence that has ended is kept


class Board:
    """The alerts of a project without Alertmanager."""

    def __init__(self, paths: ProjectPaths) -> None:
        self._state = paths.state / "alerts.json"
        self._silences = paths.state / "silences.json"
        self._lock = paths.run / "alerts.lock"

    def last(self) -> Evaluation:
        """The last evaluation, by whoever made it."""
        return from_json(read_state(self._state, ignore))

    def look(self, readings: Iterable[Reading], now: float) -> Evaluation:
        """Evaluate the rules and remember. Raises MissingError BUSY, OperationFailedError DISK_FULL."""
        with exclusive(self._lock, what="The list of alerts", wait=5.0):
            found = evaluate(readings, self.last(), now)
            write_json(self._state, found.as_json(), mode=0o600)
        return found

    def silences(self) -> list[Silence]:
        """Every silence that has not ended."""
        now = datetime.now(UTC)
        return [one for one in self._all() if one.until > now]

    def silence(self, silence: Silence) -> str:
        """Add a silence; its id."""
        made = replace(silence, id=str(uuid.uuid4()))
        with exclusive(self._lock, what="The list of silences", wait=5.0):
            self._save([*self._all(), made])
        return made.id

    def expire(self, name: str) -> None:
        """End a silence now. Raises UsageError SILENCE_UNKNOWN."""
        now = datetime.now(UTC)
        with exclusive(self._lock, what="The list of silences", wait=5.0):
            known = self._all()
            if not any(one.id == name for one in known):
                raise UsageError(f"There is no silence '{name}'.", code="SILENCE_UNKNOWN")
            self._save([replace(one, until=min(one.until, now)) if one.id == name else one for one in known])

    def _all(self) -> list[Silence]:
        return [_revived(entry) for entry in read_state(self._silences, ignore).get("silences", ())]

    def _save(self, silences: list[Silence]) -> None:
        oldest = datetime.now(UTC).timestamp() - _KEPT
        kept = [_plain(one) for one in silences if one.until.timestamp() > oldest]
        write_json(self._silences, {"silences": kept}, mode=0o600)


def _plain(silence: Silence) -> dict[str, Any]:
    times = {"since": silence.since.isoformat(), "until": silence.until.isoformat()}
    return {**asdict(silence), **times}


def _revived(entry: dict[str, Any]) -> Silence:
    matchers = tuple(Matcher(**matcher) for matcher in entry["matchers"])
    since, until = datetime.fromisoformat(entry["since"]), datetime.fromisoformat(entry["until"])
    return Silence(entry["id"], matchers, since, until, entry["by"], entry["comment"])
