"""Loki's HTTP API: lines of a stretch of time, from either end, page by page.

Protocol: https://grafana.com/docs/loki/latest/reference/loki-http-api/ (query_range, ready), as of Loki 3.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from dataflow.errors import BackendError, UsageError
from dataflow.system.http import ask

_PAGE = 5000  # Loki's own limit for one answer
_TIMEOUT = 30.0
_OK = 200
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with its labels and structured metadata. `nanoseconds` since 1970: the order in Loki."""

    nanoseconds: int
    text: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    """A result of a metric query: its labels, and points of (seconds since 1970, value)."""

    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class Loki:
    """One Loki, at a base URL."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ready(self) -> bool:
        """Whether it answers questions."""
        try:
            return ask(f"{self._url}/ready", timeout=1.0).status == _OK
        except (OSError, http.client.HTTPException):
            return False

    def entries(self, query: str, *, since: int, until: int, newest_first: bool = False) -> Iterator[Entry]:
        """The lines that a log query finds in [since, until), in nanoseconds, in the order asked for.

        Raises:
            UsageError: QUERY_INVALID, with Loki's own words.
            BackendError: BACKEND_DOWN, BACKEND_FAILED.
        """
        seen: set[tuple[int, str, str]] = set()
        while since < until:
            page = self._page(query, since, until, newest_first=newest_first)
            new = [entry for entry in page if _key(entry) not in seen]
            yield from new
            if len(page) < _PAGE:
                return
            edge = page[-1].nanoseconds
            if not new:  # more lines of one nanosecond than a page holds: the rest of it cannot be had
                edge += -1 if newest_first else 1
            seen = {_key(entry) for entry in page if entry.nanoseconds == edge}
            since, until = (since, edge + 1) if newest_first else (edge, until)

    def series(self, query: str, *, since: int, until: int, step: int) -> list[Series]:
        """The points of a metric query, `step` seconds apart. Raises as `entries`."""
        data = self._ask({"query": query, "start": since, "end": until, "step": step})
        if data.get("resultType") == "streams":
            raise UsageError("This is a query for lines, not for figures.", code="QUERY_INVALID")
        return [
            Series(one["metric"], tuple((float(time), float(value)) for time, value in one["values"]))
            for one in data["result"]
        ]

    def is_metric(self, query: str, *, since: int, until: int, step: int) -> bool:
        """Whether a query gives figures and not lines. Raises as `entries`."""
        data = self._ask({"query": query, "start": since, "end": until, "limit": 1, "step": step})
        return data.get("resultType") != "streams"

    def _page(self, query: str, since: int, until: int, *, newest_first: bool) -> list[Entry]:
        direction = "backward" if newest_first else "forward"
        data = self._ask({"query": query, "start": since, "end": until, "limit": _PAGE, "direction": direction})
        if data.get("resultType") != "streams":
            raise UsageError("This is a query for figures, not for lines.", code="QUERY_INVALID")
        found = [
            Entry(int(time), text, stream["stream"]) for stream in data["result"] for time, text, *_ in stream["values"]
        ]
        return sorted(found, key=lambda entry: entry.nanoseconds, reverse=newest_first)

    def _ask(self, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = ask(f"{self._url}/loki/api/v1/query_range?{urlencode(parameters)}", timeout=_TIMEOUT)
        except (OSError, http.client.HTTPException) as error:
            message = f"Loki does not answer at {self._url}: {error or type(error).__name__}."
            raise BackendError(message, code="BACKEND_DOWN", retryable=True) from error
        if answer.status == _BAD_REQUEST:
            raise UsageError(f"Loki refuses the query: {answer.text.strip()}", code="QUERY_INVALID")
        if answer.status != _OK:
            message = f"Loki answered {answer.status}: {answer.text.strip()[:300]}"
            raise BackendError(message, code="BACKEND_FAILED", retryable=True)
        data: dict[str, Any] = json.loads(answer.body)["data"]
        return data


def _key(entry: Entry) -> tuple[int, str, str]:
    return entry.nanoseconds, entry.text, entry.labels.get("service", "")


def nanoseconds(time: datetime) -> int:
    """Since 1970, as Loki counts."""
    return int(time.timestamp()) * 1_000_000_000 + time.microsecond * 1000
