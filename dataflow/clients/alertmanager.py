"""Alertmanager's HTTP API: what is wrong now, and what is silenced.

Protocol: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (v2, the only one since 0.27).
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dataflow.errors import BackendError, UsageError
from dataflow.system.http import ask

_TIMEOUT = 5.0
_OK = 200
_REFUSED = {400, 404, 422}


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label that must be `value`, or not where `equal` is false; with `regex` it must match that as a whole."""

    name: str
    value: str
    regex: bool = False
    equal: bool = True

    def __str__(self) -> str:
        sign = ("=~" if self.equal else "!~") if self.regex else ("=" if self.equal else "!=")
        return f"{self.name}{sign}{self.value}"

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels are as it says; a label that is not there is empty."""
        value = labels.get(self.name, "")
        hit = bool(re.fullmatch(self.value, value)) if self.regex else value == self.value
        return hit == self.equal


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match all of `matchers` tell nobody from `since` to `until`."""

    id: str
    matchers: tuple[Matcher, ...]
    since: datetime
    until: datetime
    by: str
    comment: str

    def holds(self, now: datetime) -> bool:
        """Whether it holds at that time."""
        return self.since <= now < self.until

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Whether it is about an alert of these labels, `alertname` among them."""
        return all(matcher.matches(labels) for matcher in self.matchers)


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """An alert that Alertmanager has. `silences`: ids of those that cover it."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    since: datetime
    silences: tuple[str, ...]


class Alertmanager:
    """One Alertmanager, at a base URL."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/api/v2"

    def alerts(self) -> list[RaisedAlert]:
        """Every alert that is not over. Raises BackendError BACKEND_DOWN, BACKEND_FAILED."""
        return [
            RaisedAlert(
                fingerprint=one["fingerprint"],
                labels=one["labels"],
                annotations=one.get("annotations", {}),
                since=_time(one["startsAt"]),
                silences=tuple(one["status"]["silencedBy"]),
            )
            for one in self._ask("/alerts")
        ]

    def silences(self) -> list[Silence]:
        """Every silence that has not ended. Raises as `alerts`."""
        return [_silence(one) for one in self._ask("/silences") if one["status"]["state"] != "expired"]

    def silence(self, silence: Silence) -> str:
        """Add a silence; its id. Raises as `alerts`, and UsageError SILENCE_INVALID."""
        body = {
            "matchers": [
                {"name": one.name, "value": one.value, "isRegex": one.regex, "isEqual": one.equal}
                for one in silence.matchers
            ],
            "startsAt": silence.since.isoformat(),
            "endsAt": silence.until.isoformat(),
            "createdBy": silence.by,
            "comment": silence.comment,
        }
        return str(self._ask("/silences", body)["silenceID"])

    def expire(self, name: str) -> None:
        """End a silence now. Raises as `silence`."""
        self._ask(f"/silence/{quote(name, safe='')}", method="DELETE")

    def _ask(self, path: str, body: object = None, method: str = "GET") -> Any:
        try:
            answer = ask(self._url + path, body=body, method=method, timeout=_TIMEOUT)
        except (OSError, http.client.HTTPException) as error:
            message = f"Alertmanager does not answer at {self._url}: {error or type(error).__name__}."
            raise BackendError(message, code="BACKEND_DOWN", retryable=True) from error
        if answer.status in _REFUSED:
            raise UsageError(f"Alertmanager refuses this: {answer.text.strip()[:300]}", code="SILENCE_INVALID")
        if answer.status != _OK:
            message = f"Alertmanager answered {answer.status}: {answer.text.strip()[:300]}"
            raise BackendError(message, code="BACKEND_FAILED", retryable=True)
        return json.loads(answer.body) if answer.body.strip() else None


def _silence(entry: dict[str, Any]) -> Silence:
    matchers = tuple(
        Matcher(one["name"], one["value"], one["isRegex"], one.get("isEqual", True)) for one in entry["matchers"]
    )
    times = (_time(entry["startsAt"]), _time(entry["endsAt"]))
    return Silence(entry["id"], matchers, *times, entry["createdBy"], entry["comment"])


def _time(text: str) -> datetime:
    """RFC 3339 with up to nanoseconds, of which microseconds are kept."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
