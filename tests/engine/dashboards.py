"""Ask the real Prometheus and Loki what each panel of the shipped dashboards asks, as Grafana would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conftest import ROOT

FOLDER = ROOT / "compose" / "services" / "grafana" / "dashboards"
# What Grafana puts in: its own variables, and the dashboards' own while nothing is chosen.
VARIABLES = {"$__rate_interval": "1m", "$__auto": "1m", "$service": ".*", "$workflow": ".*", "$search": ""}


@dataclass(frozen=True)
class Query:
    """One query of one panel. `may_be_empty`: the panel's description says when it has nothing to show."""

    dashboard: str
    panel: str
    back_end: str
    text: str
    may_be_empty: bool

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.text}"


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every panel with its dashboard's name."""
    for file in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            yield file.stem, panel


def queries() -> Iterator[Query]:
    for dashboard, panel in panels():
        for target in panel["targets"]:
            text = target["expr"]
            for name, value in VARIABLES.items():
                text = text.replace(name, value)
            empty = "Empty w" in panel["description"] or "Only " in panel["description"]
            yield Query(dashboard, panel["title"], target["datasource"]["uid"], text, empty)


def ask(query: Query, urls: dict[str, str]) -> list[Any]:
    """The series or lines that come back. Raises AssertionError with the back end's words where it refuses."""
    if query.back_end == "prometheus":
        answer = httpx.get(f"{urls['prometheus']}/api/v1/query", params={"query": query.text}, timeout=20)
    else:
        start = int((time.time() - 3600) * 1e9)
        asked = {"query": query.text, "start": str(start), "limit": "20"}
        answer = httpx.get(f"{urls['loki']}/loki/api/v1/query_range", params=asked, timeout=20)
    assert answer.status_code == 200, f"{query}: {answer.text}"
    return answer.json()["data"]["result"]
