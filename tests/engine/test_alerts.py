"""Alerts with the real Prometheus, Alertmanager and exporter: what is wrong is told in time, and told no longer."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dataflow.operations.alerting.rules import load_rules
from dataflow.system.http import ask, ask_json
from tests.conftest import ROOT, Project, add_workflow
from tests.engine.conftest import container, docker, eventually, inspect, remove, services

BROKEN = "raise ValueError('the source is on fire')"
PROMETHEUS = "prom/prometheus:v3.14.0"
# Alerts need none of these.
AWAY = ("loki", "log-collector", "grafana", "node-exporter", "postgres-exporter")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A platform with what alerts need, and a workflow that fails."""
    root = tmp_path_factory.mktemp("alerts") / "watched"
    root.mkdir()
    off = "\n".join(f"[services.{name}]\nenabled = false" for name in AWAY)
    (root / "dataflow.toml").write_text(f'profiles = ["observability"]\n{off}\n')
    project = Project(root, engine="docker")
    add_workflow(project, "fragile", body=BROKEN)
    try:
        called = project.call("up", "--timeout", "300", timeout=900)
        assert called.code == 0, called.err
        yield project
    finally:
        project.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        remove(project)


def alerts(project: Project) -> dict[str, dict[str, Any]]:
    called = project.call("alerts", "list", "--json")
    assert called.code == 0, called.out
    return {alert["name"]: alert for alert in called.data["alerts"]}


def in_alertmanager(project: Project) -> set[str]:
    url = services(project)["alertmanager"]["url"]
    _, found = ask_json(f"{url}/api/v2/alerts", service="Alertmanager")
    return {alert["labels"]["alertname"] for alert in found}


def told(project: Project) -> list[tuple[str, str]]:
    path = project.root / ".dataflow" / "alerts.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line["alert"], line["status"]) for line in map(json.loads, lines)]


def test_a_failed_run_fires_within_a_minute_is_acknowledged_and_is_over_after_a_good_run(watched: Project) -> None:
    assert watched.call("workflow", "run", "fragile", timeout=400).code == 7
    failed = ended(watched)
    eventually(lambda: "JobFailed" in in_alertmanager(watched), 60, "Alertmanager has the failure")
    seconds = time.time() - failed
    print(f"\nfrom the run's failure to Alertmanager {seconds:.1f} s (at most 60)")
    assert seconds < 60
    alert = alerts(watched)["JobFailed"]
    assert (alert["state"], alert["labels"], alert["severity"], alert["action"]) == (
        "firing", {"workflow": "fragile"}, "critical", "dataflow why fragile",
    )  # fmt: skip
    eventually(lambda: ("JobFailed", "firing") in told(watched), 30, "the failure is in alerts.jsonl")

    assert watched.call("alerts", "ack", "JobFailed", "--for", "1h", "--comment", "on it").code == 0
    alert = alerts(watched)["JobFailed"]
    assert (alert["state"], alert["comment"]) == ("acknowledged", "on it")

    job = watched.root / "workflows" / "fragile" / "dagster_job.py"
    job.write_text(job.read_text().replace(BROKEN, "pass"))
    assert watched.call("workflow", "run", "fragile", timeout=400).code == 0
    eventually(lambda: "JobFailed" not in in_alertmanager(watched), 60, "the alert is over")
    for silence in watched.call("alerts", "silence", "--list", "--json").data["silences"]:
        assert watched.call("alerts", "silence", "--expire", silence["id"]).code == 0


def ended(project: Project) -> float:
    """When the last run ended, in seconds since 1970."""
    from datetime import datetime

    (run,) = project.call("workflow", "runs", "--limit", "1", "--json").data["runs"]
    return datetime.fromisoformat(run["ended"]).timestamp()


@pytest.fixture(scope="module")
def exporter(watched: Project) -> Callable[[], str]:
    """Scrapes the exporter."""
    port = services(watched)["exporter"]["ports"][0]["number"]
    return lambda: ask(f"http://127.0.0.1:{port}/metrics", timeout=10).text


def test_the_exporter_reads_postgres_and_asks_services_by_name_without_a_socket(exporter: Callable[[], str]) -> None:
    eventually(lambda: 'dataflow_service_up{service="dagster-daemon"} 1.0' in exporter(), 30, "services are asked")
    # Asked once a minute, and for the first time perhaps before the bucket was made.
    eventually(lambda: 'dataflow_bucket_objects{bucket="lake"} 0.0' in exporter(), 70, "buckets are asked again")
    text = exporter()
    assert 'dataflow_runs_total{state="failure",workflow="fragile"} 1.0' in text
    assert 'dataflow_step_failures_total{step="fragile_table",workflow="fragile"} 1.0' in text
    assert 'dataflow_source_up{source="buckets"} 1.0' in text
    for name in ("postgres", "prometheus", "alertmanager", "object-store", "dagster-code", "dagster-webserver"):
        assert f'dataflow_service_up{{service="{name}"}} 1.0' in text, name


def test_a_dead_postgres_costs_its_own_metrics_only(watched: Project, exporter: Callable[[], str]) -> None:
    docker("stop", container(watched, "postgres"))
    try:
        eventually(lambda: 'dataflow_source_up{source="runs"} 0.0' in exporter(), 40, "the source is down")
        began = time.monotonic()
        text = exporter()
        assert time.monotonic() - began < 2
        assert "dataflow_disk_free_bytes" in text
        assert 'dataflow_runs_total{state="failure",workflow="fragile"} 1.0' in text, "for five minutes"
    finally:
        docker("start", container(watched, "postgres"))
    eventually(lambda: 'dataflow_source_up{source="runs"} 1.0' in exporter(), 40, "the source is back")


def test_prometheus_knows_every_rule_and_none_has_an_error(watched: Project) -> None:
    url = services(watched)["prometheus"]["url"]
    _, answer = ask_json(f"{url}/api/v1/rules?type=alert", service="Prometheus")
    found = {rule["name"]: rule["health"] for group in answer["data"]["groups"] for rule in group["rules"]}
    assert found == dict.fromkeys((rule.name for rule in load_rules()), "ok")


def test_without_alertmanager_the_command_says_how_to_have_it(watched: Project) -> None:
    assert watched.call("stop", "alertmanager").code == 0
    try:
        called = watched.call("alerts", "list", "--json")
        assert (called.code, called.error["code"]) == (5, "SERVICE_DOWN")
    finally:
        assert watched.call("start", "alertmanager").code == 0


def test_a_webhook_of_the_settings_is_told_by_alertmanager_itself(watched: Project) -> None:
    taken: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(f"{self.path} {self.rfile.read(int(self.headers['Content-Length'])).decode()}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    network = inspect(container(watched, "alertmanager"))["NetworkSettings"]["Networks"]
    gateway = next(iter(network.values()))["Gateway"]
    server = HTTPServer((gateway, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = watched.root / ".env"
    env.write_text(f"{env.read_text()}DATAFLOW_ALERTS_WEBHOOK_URL=http://{gateway}:{server.server_port}/token\n")
    try:
        assert watched.call("up", "--timeout", "120", timeout=400).code == 0
        assert "token" not in (watched.root / ".dataflow" / "alertmanager.yml").read_text()
        url = services(watched)["alertmanager"]["url"]
        _, answer = ask_json(f"{url}/api/v2/status", service="Alertmanager")
        assert "token" not in answer["config"]["original"]
        body = [{"labels": {"alertname": "Tried", "severity": "warning"}, "annotations": {"summary": "tried"}}]
        assert ask(f"{url}/api/v2/alerts", body=body).status == 200
        eventually(lambda: any(one.startswith("/token ") and "Tried" in one for one in taken), 40, "it is told")
    finally:
        server.shutdown()
        server.server_close()


SERIES = """
rule_files: [rules.yml]
evaluation_interval: 10s
tests:
  - interval: 10s
    input_series:
      - {series: 'dataflow_workflow_last_run_success{workflow="x"}', values: "1 0x7 1x7"}
      - {series: 'dataflow_service_up{service="web"}', values: "0x20"}
      - {series: 'dataflow_service_restarts_total{service="web"}', values: "0 0 1 2 3 3x40"}
      - {series: 'dataflow_run_elapsed_seconds{workflow="x"}', values: "100x20"}
      - {series: 'dataflow_run_typical_duration_seconds{workflow="x"}', values: "10x20"}
    alert_rule_test:
      - {eval_time: 0s, alertname: JobFailed, exp_alerts: []}
      - eval_time: 10s
        alertname: JobFailed
        exp_alerts:
          - exp_labels: {severity: critical, workflow: x}
            exp_annotations: {summary: The last run of x failed, action: dataflow why x}
      - {eval_time: 3m, alertname: JobFailed, exp_alerts: []}
      - {eval_time: 45s, alertname: ServiceDown, exp_alerts: []}
      - eval_time: 75s
        alertname: ServiceDown
        exp_alerts:
          - exp_labels: {severity: critical, service: web}
            exp_annotations: {summary: web does not answer, action: dataflow why web}
      - eval_time: 2m
        alertname: CrashLoop
        exp_alerts:
          - exp_labels: {severity: critical, service: web}
            exp_annotations: {summary: web ended by itself three times within ten minutes, action: dataflow why web}
      - eval_time: 15s
        alertname: JobSlow
        exp_alerts:
          - exp_labels: {severity: warning, workflow: x}
            exp_annotations:
              summary: A run of x takes more than twice as long as usual
              action: dataflow workflow runs x
"""


def test_promtool_finds_nothing_wrong_and_agrees_about_when_rules_fire(tmp_path: Path) -> None:
    if subprocess.run(["docker", "image", "inspect", PROMETHEUS], capture_output=True).returncode:
        pytest.skip(f"the image {PROMETHEUS} is not here")
    rules = (ROOT / "compose/services/prometheus/rules.yml").read_text()
    for name, text in {"rules.yml": rules, "test.yml": SERIES}.items():
        (tmp_path / name).write_text(text)
    tmp_path.chmod(0o755)
    mount = ["--rm", "--volume", f"{tmp_path}:/rules:ro", "--workdir", "/rules", "--entrypoint", "promtool", PROMETHEUS]
    assert "SUCCESS" in docker("run", *mount, "check", "rules", "rules.yml")
    assert "SUCCESS" in docker("run", *mount, "test", "rules", "test.yml")
