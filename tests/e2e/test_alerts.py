"""Alerts on the native engine, with nothing up but the exporter: runs need no Dagster, and alerts no Prometheus."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from dataflow.system.http import ask
from tests.conftest import Project, add_workflow
from tests.e2e.conftest import eventually

ALONE = "\n".join(
    f"[services.{name}]\nenabled = false"
    for name in ("object-store", "dagster-code", "dagster-daemon", "dagster-webserver")
)
# A service that answers at once, and that may be stopped.
WEB = """\
x-dataflow:
  label: A page
  group: application
  ports: {http: 39100}
  health: {url: "http://127.0.0.1:{{http}}/"}
  native: {program: python, arguments: [-m, http.server, --bind, 127.0.0.1, "{{http}}"]}
"""
BROKEN = "raise ValueError('the source is on fire')"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of which a page and the exporter are up, with a workflow that fails; the object store is not."""
    root = tmp_path_factory.mktemp("watched") / "watched"
    root.mkdir()
    (root / "dataflow.toml").write_text(f'name = "watched"\nprofiles = ["observability"]\n{ALONE}\n')
    project = Project(root)
    project.write("compose/services/page/compose.yaml", WEB)
    add_workflow(project, "fragile", body=BROKEN)
    assert project.call("up").code == 0
    yield project
    project.call("down")


def metrics(project: Project) -> str:
    services = {item["name"]: item for item in project.call("status", "--json").data["services"]}
    return ask(f"http://127.0.0.1:{services['exporter']['ports'][0]['number']}/metrics").text


def alerts(project: Project) -> dict[str, dict[str, Any]]:
    return {alert["name"]: alert for alert in project.call("alerts", "list", "--json").data["alerts"]}


def told(project: Project) -> list[tuple[str, str]]:
    path = project.root / ".dataflow" / "alerts.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line["alert"], line["status"]) for line in map(json.loads, lines)]


def repair(project: Project) -> None:
    job = project.root / "workflows" / "fragile" / "dagster_job.py"
    job.write_text(job.read_text().replace(BROKEN, "pass"))


def test_a_failed_run_is_told_acknowledged_and_over_after_a_good_one(watched: Project) -> None:
    assert watched.call("alerts", "list", "--exit-code").code == 0
    assert watched.call("workflow", "run", "fragile").code == 7
    failed = time.monotonic()
    eventually(lambda: ("JobFailed", "firing") in told(watched), 30, "the failure is in alerts.jsonl")
    print(f"\nnative: from failure to alerts.jsonl {time.monotonic() - failed:.1f} s")
    alert = alerts(watched)["JobFailed"]
    assert (alert["state"], alert["labels"], alert["action"]) == (
        "firing", {"workflow": "fragile"}, "dataflow why fragile",
    )  # fmt: skip
    assert watched.call("alerts", "list", "--exit-code").code == 1
    seen = watched.call("status", "--json").data["alerts"]
    assert [one["name"] for one in seen["open"]].count("JobFailed") == 1
    assert "JobFailed: " in watched.call("status").out

    made = watched.call("alerts", "ack", "JobFailed", "--for", "1h", "--comment", "on it", "--json").data["silences"]
    assert made[0]["matchers"] == ["alertname=JobFailed", "workflow=fragile"]
    alert = alerts(watched)["JobFailed"]
    assert (alert["state"], alert["comment"]) == ("acknowledged", "on it")
    assert alert["by"]
    seen = watched.call("status", "--json").data["alerts"]
    assert ("JobFailed" in [one["name"] for one in seen["open"]], seen["handled"]) == (False, 1)
    assert watched.call("alerts", "list", "--exit-code").code == 0

    repair(watched)
    assert watched.call("workflow", "run", "fragile").code == 0
    eventually(lambda: "JobFailed" not in alerts(watched), 30, "the alert is over")
    assert told(watched).count(("JobFailed", "firing")) == 1
    eventually(lambda: ("JobFailed", "resolved") in told(watched), 5, "the end is told, too")
    assert watched.call("alerts", "silence", "--expire", made[0]["id"][:8]).code == 0
    assert watched.call("alerts", "silence", "--list", "--json").data["silences"] == []


def test_the_metrics_are_those_of_the_platform_and_name_what_is_down(watched: Project) -> None:
    text = metrics(watched)
    assert 'dataflow_build_info{engine="native"' in text
    assert 'dataflow_service_up{service="page"} 1.0' in text
    assert 'dataflow_source_up{source="buckets"} 1.0' in text, "none is wanted, so none is missed"
    assert 'dataflow_source_up{source="runs"} 1.0' in text
    # What Dagster wrote into its tables is read right:
    assert 'dataflow_runs_total{state="failure",workflow="fragile"} 1.0' in text
    assert 'dataflow_runs_total{state="success",workflow="fragile"} 1.0' in text
    assert 'dataflow_step_failures_total{step="fragile_table",workflow="fragile"} 1.0' in text
    assert 'dataflow_run_duration_seconds_count{workflow="fragile"} 2.0' in text
    assert 'dataflow_asset_last_materialization_timestamp_seconds{asset="fragile_table",workflow="fragile"}' in text
    assert watched.call("stop", "page").code == 0
    try:
        eventually(lambda: 'service_up{service="page"} 0.0' in metrics(watched), 20, "the page is down")
    finally:
        assert watched.call("start", "page").code == 0


def test_without_the_exporter_the_rules_are_evaluated_when_asked(watched: Project) -> None:
    assert watched.call("stop", "exporter").code == 0
    try:
        called = watched.call("alerts", "list", "--json")
        assert called.code == 0
        assert called.data["source"] == "native"
    finally:
        assert watched.call("start", "exporter").code == 0


def test_only_what_alertmanager_sends_is_taken(watched: Project) -> None:
    services = {item["name"]: item for item in watched.call("status", "--json").data["services"]}
    url = f"http://127.0.0.1:{services['exporter']['ports'][0]['number']}"
    alert = {"status": "firing", "labels": {"alertname": "Strange"}, "startsAt": "2026-11-25T20:00:00Z"}
    assert ask(f"{url}/alerts", body={"alerts": [alert, 7, {}]}).status == 200
    assert ("Strange", "firing") in told(watched)
    assert ask(f"{url}/alerts", body=[1]).status == 400
    assert ask(f"{url}/elsewhere").status == 404
    assert ask(f"{url}/alerts", method="POST").status == 415


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ack", "Nothing"], "ALERT_UNKNOWN"),
        (["silence", "service=~"], "MATCHER_INVALID"),
        (["silence", "service=~("], "MATCHER_INVALID"),
        (["silence"], "MATCHER_INVALID"),
        (["silence", "JobFailed", "--for", "never"], "TIME_INVALID"),
        (["silence", "JobFailed", "--for", "400d"], "TIME_INVALID"),
        (["silence", "--expire", "nope"], "SILENCE_UNKNOWN"),
    ],
)
def test_what_cannot_be_meant_is_refused(watched: Project, arguments: list[str], code: str) -> None:
    called = watched.call("alerts", *arguments, "--json")
    assert (called.code, called.error["code"]) == (2, code)
