"""What a log collector has brought to Loki, as Loki's own API tells: the same must hold of each collector."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.conftest import Project
from tests.engine.conftest import container, containers, eventually, inspect, services

LABELS = {"project", "service", "level", "workflow"}
LEVELS = {"debug", "info", "warning", "error", "critical"}
METADATA = {"run_id", "job", "step"}
QUIET = {"prometheus", "alertmanager"}  # they may have nothing to say


def check(project: Project) -> None:
    """Everything, on a platform on which nightscout has run."""
    asked = Loki(project)
    (run,) = project.call("workflow", "runs", "nightscout", "--limit", "1", "--json").data["runs"]
    file = project.root / ".dataflow" / "logs" / "runs" / f"{run['id']}.jsonl"
    _every_service_is_there(project, asked)
    _the_run_is_there_once(asked, run["id"], file)
    _only_the_run_is_found_by_it(project, run["id"], file)
    _what_a_line_says_of_itself_makes_no_label(asked, file.with_name("hostile.jsonl"))
    _labels_are_few(project, asked)
    _files_are_mounted_to_be_read(project)
    assert "retention_period: 2w" in asked.text("/config")


class Loki:
    """Loki's HTTP API."""

    def __init__(self, project: Project) -> None:
        self._url = f"http://127.0.0.1:{services(project)['loki']['ports'][0]['number']}"

    def text(self, path: str) -> str:
        return httpx.get(f"{self._url}{path}", timeout=30).text

    def data(self, path: str, **parameters: str) -> Any:
        """With structured metadata apart from labels."""
        headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        answer = httpx.get(
            f"{self._url}/loki/api/v1/{path}?{urlencode({'since': '6h', **parameters})}", headers=headers, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json().get("data", [])

    def values(self, label: str) -> set[str]:
        return set(self.data(f"label/{label}/values"))

    def lines(self, query: str) -> list[tuple[dict[str, str], int, str, dict[str, str]]]:
        """Labels, time, text and structured metadata of each line."""
        found = self.data("query_range", query=query, limit="5000", direction="forward")["result"]
        return [
            (one["stream"], int(at), text, more.get("structuredMetadata", {}))
            for one in found
            for at, text, more in one["values"]
        ]


def _every_service_is_there(project: Project, asked: Loki) -> None:
    running = {name for name, state in containers(project).items() if state == "running"} - QUIET
    deadline = time.monotonic() + 120  # a collector finds containers late on a machine with much else to do
    while missing := (running | {"worker"}) - asked.values("service"):
        assert time.monotonic() < deadline, f"no line in Loki of {missing}: {project.call('logs', 'log-collector').out}"
        time.sleep(0.5)


def _the_run_is_there_once(asked: Loki, run: str, file: Path) -> None:
    """Every line of the file, as it was written and at the time at which it was written."""
    written = file.read_text().splitlines()
    query = f'{{service="worker", workflow="nightscout"}} | run_id="{run}"'
    eventually(lambda: len(asked.lines(query)) >= len(written), 60, "the run's lines are in Loki")
    found = asked.lines(query)
    assert Counter(text for _, _, text, _ in found) == Counter(written)
    for labels, at, text, metadata in found:
        line = json.loads(text)
        assert at // 1000 == _microseconds(line["timestamp"])
        assert (labels["service"], labels["workflow"], labels["level"]) == ("worker", "nightscout", line["level"])
        assert {name: metadata.get(name) for name in METADATA} == {name: line[name] for name in METADATA}
    assert {metadata.get("step") for _, _, _, metadata in found} > {None, "nightscout__entries"}


def _microseconds(text: str) -> int:
    at = datetime.fromisoformat(text)
    return int(at.replace(microsecond=0).timestamp()) * 1_000_000 + at.microsecond


def _only_the_run_is_found_by_it(project: Project, run: str, file: Path) -> None:
    """`logs` tells each line once, though it lies in two places; `--query` knows runs and steps."""
    lines = project.call("logs", "--run", run[:8], "--tail", "0", "--json").data["lines"]
    assert [line["raw"] for line in lines] == file.read_text().splitlines()
    query = '{service="worker"} | step="nightscout__entries" | line_format "{{.step}} said something"'
    found = project.call("logs", "--query", query, "--since", "6h", "--json").data["lines"]
    assert {line["message"] for line in found} == {"nightscout__entries said something"}
    assert {(line["step"], line["workflow"]) for line in found} == {("nightscout__entries", "nightscout")}
    assert run in {line["run_id"] for line in found}


def _what_a_line_says_of_itself_makes_no_label(asked: Loki, file: Path) -> None:
    now = datetime.now(UTC).isoformat()
    lies = [
        {"timestamp": now, "message": "lie", "level": f"level {number}", "workflow": f"No name {number}", "run_id": "x"}
        for number in range(30)
    ]
    file.write_text("".join(json.dumps(lie) + "\n" for lie in lies) + "no JSON, level=none\n")
    try:
        query = '{service="worker"} |= `lie` | run_id="x"'
        eventually(lambda: len(asked.lines(query)) == len(lies), 30, "the lines that lie are in Loki")
    finally:
        file.unlink()


def _labels_are_few(project: Project, asked: Loki) -> None:
    assert set(asked.data("labels")) == LABELS
    assert asked.values("level") <= LEVELS
    runs = project.call("workflow", "runs", "--limit", "1000", "--json").data["runs"]
    workflows = {run["workflow"] for run in runs}  # of some the folder is gone
    assert "nightscout" in asked.values("workflow") <= workflows
    assert len(asked.values("project")) == 1
    series = asked.data("series", **{"match[]": '{project=~".+"}'})
    assert not [one for one in series if not set(one) <= LABELS]
    most = len(asked.values("service")) * (len(LEVELS) + 1) + len(workflows) * (len(LEVELS) + 1)
    assert len(series) <= most
    for service in ("dagster-code", "loki", "postgres"):  # JSON, logfmt and a format of its own
        levels = {labels.get("level") for labels, _, _, _ in asked.lines(f'{{service="{service}"}}')}
        assert levels & LEVELS, service


def _files_are_mounted_to_be_read(project: Project) -> None:
    mounts = inspect(container(project, "log-collector"))["Mounts"]
    (runs,) = [mount for mount in mounts if mount["Destination"] == "/var/log/dataflow/runs"]
    assert (runs["Type"], runs["RW"]) == ("bind", False)
