"""Rules as data and their evaluation, silences, and who is told."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dataflow.clients.alertmanager import Matcher, Silence
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import AlertSettings
from dataflow.operations.alerting.board import Board
from dataflow.operations.alerting.channels import Teller, channels
from dataflow.operations.alerting.evaluate import Evaluation, evaluate, from_json, grown
from dataflow.operations.alerting.notices import Notice, append, message_of, notices_in
from dataflow.operations.alerting.rules import Rule, load_rules
from dataflow.operations.exporter.metrics import METRICS, Reading

FOREIGN = {"up": ("job", "instance"), "pg_up": ("job", "instance")}
NOW = 1_800_000_000.0
FAILED = [Reading("dataflow_workflow_last_run_success", ("job",), 0.0)]
DOWN = [Reading("dataflow_service_up", ("web",), 0.0)]


def names(found: Evaluation) -> list[str]:
    return [one.rule for one in found.active if one.fired is not None]


def at(readings: list[Reading], *times: float) -> Evaluation:
    found = Evaluation(0.0)
    for time in times:
        found = evaluate(readings, found, NOW + time)
    return found


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.name)
def test_a_rule_speaks_of_metrics_and_labels_that_there_are(rule: Rule) -> None:
    labels = METRICS[rule.metric].labels if rule.metric in METRICS else FOREIGN[rule.metric]
    for other in (rule.per, rule.times):
        assert other is None or METRICS[other].labels == labels
    assert set(rule.where) <= set(labels)
    assert set(re.findall(r"\{(\w+)\}", rule.summary + rule.action)) <= set(labels)
    assert rule.action.startswith("dataflow ")
    assert rule.comparison in {"==", "!=", ">", "<", ">=", "<="}


def test_the_rules_in_promql() -> None:
    found = {rule.name: rule.expression for rule in load_rules()}
    assert found["JobSlow"] == "dataflow_run_elapsed_seconds > 2 * dataflow_run_typical_duration_seconds + 60"
    assert found["LogErrorBurst"] == 'increase(dataflow_log_lines_total{level=~"error|critical"}[300s]) > 50'
    assert found["DiskFull"] == "dataflow_disk_free_bytes / dataflow_disk_size_bytes < 0.05"
    assert found["BackupOld"] == "time() - dataflow_backup_last_timestamp_seconds > 604800"


@pytest.mark.parametrize(
    ("rule", "readings"),
    [
        ("JobFailed", FAILED),
        ("JobSlow", [
            Reading("dataflow_run_elapsed_seconds", ("job",), 100.0),
            Reading("dataflow_run_typical_duration_seconds", ("job",), 10.0),
        ]),
        ("JobLate", [
            Reading("dataflow_schedule_last_run_timestamp_seconds", ("job", "hourly"), NOW - 8000),
            Reading("dataflow_schedule_typical_interval_seconds", ("job", "hourly"), 3600.0),
        ]),
        ("AssetStale", [
            Reading("dataflow_asset_last_materialization_timestamp_seconds", ("job", "a"), NOW - 7300),
            Reading("dataflow_asset_max_age_seconds", ("job", "a"), 7200.0),
        ]),
        ("CheckFailed", [Reading("dataflow_check_passed", ("job", "a", "c"), 0.0)]),
        ("ServiceDown", DOWN),
        ("SourceDown", [Reading("dataflow_source_up", ("runs",), 0.0)]),
        ("BackupOld", [Reading("dataflow_backup_last_timestamp_seconds", (), NOW - 8 * 86400)]),
        ("DiskFull", [
            Reading("dataflow_disk_free_bytes", (), 4.0),
            Reading("dataflow_disk_size_bytes", (), 100.0),
        ]),
        ("MemoryLow", [
            Reading("dataflow_memory_available_bytes", (), 4.0),
            Reading("dataflow_memory_size_bytes", (), 100.0),
        ]),
    ],
)  # fmt: skip
def test_every_rule_fires_when_its_time_has_come_and_ends(rule: str, readings: list[Reading]) -> None:
    hold = next(one.hold for one in load_rules() if one.name == rule)
    found = Evaluation(0.0)
    moment = 0.0
    while moment < hold:
        found = evaluate(readings, found, NOW + moment)
        assert names(found) == []
        assert [one.rule for one in found.active] == [rule]
        moment += 60
    found = evaluate(readings, found, NOW + moment)
    assert names(found) == [rule]
    assert evaluate([], found, NOW + moment + 10).active == ()


def test_what_grows_is_measured_within_its_window() -> None:
    lines = lambda count: [Reading("dataflow_log_lines_total", ("web", "error"), count)]  # noqa: E731
    found = evaluate(lines(0), Evaluation(0.0), NOW)
    found = evaluate(lines(30), found, NOW + 60)
    assert names(found) == []
    found = evaluate(lines(60), found, NOW + 120)
    assert names(found) == ["LogErrorBurst"]
    assert names(evaluate(lines(60), found, NOW + 1000)) == []
    assert names(evaluate([Reading("dataflow_log_lines_total", ("web", "info"), 900)], found, NOW + 130)) == []


def test_a_crash_loop_is_three_ends_within_ten_minutes() -> None:
    found = Evaluation(0.0)
    for count in range(4):
        found = evaluate([Reading("dataflow_service_restarts_total", ("web",), count)], found, NOW + 60 * count)
    assert names(found) == ["CrashLoop"]


def test_a_counter_that_began_anew_has_grown_by_what_it_is() -> None:
    assert grown([(0, 5), (1, 8), (2, 1), (3, 2)]) == 5


def test_what_only_was_pending_begins_anew_where_nobody_looked() -> None:
    assert names(at(DOWN, 0, 60)) == ["ServiceDown"]
    assert names(at(DOWN, 0, 3600)) == [], "who knows what was in that hour"
    assert names(at(DOWN, 0, 60, 3660)) == ["ServiceDown"], "what fired goes on"


def test_an_evaluation_survives_its_file() -> None:
    found = at([*FAILED, Reading("dataflow_service_restarts_total", ("web",), 1)], 0, 10)
    assert from_json(json.loads(json.dumps(found.as_json()))) == found
    assert from_json({"active": 7}) == Evaluation(0.0)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(ProjectPaths(tmp_path))


def silence(*matchers: Matcher, hours: float = 1) -> Silence:
    now = datetime.now(UTC)
    return Silence("", matchers, now - timedelta(seconds=1), now + timedelta(hours=hours), "me", "because")


def test_the_board_remembers_for_its_owner_alone(board: Board, tmp_path: Path) -> None:
    assert names(board.look(FAILED, NOW)) == ["JobFailed"]
    assert board.last().firing.keys() == board.look(FAILED, NOW + 10).firing.keys()
    assert (tmp_path / ".dataflow" / "alerts.json").stat().st_mode & 0o077 == 0


def test_a_silence_holds_until_its_end_or_until_it_is_ended(board: Board) -> None:
    name = board.silence(silence(Matcher("alertname", "JobFailed")))
    board.silence(silence(Matcher("alertname", "JobSlow"), hours=-1))
    assert [one.id for one in board.silences()] == [name]
    board.expire(name)
    assert board.silences() == []


@pytest.mark.parametrize(
    ("matcher", "hit"),
    [
        (Matcher("service", "web"), True),
        (Matcher("service", "we", regex=True), False),
        (Matcher("service", "w.*", regex=True), True),
        (Matcher("service", "web", equal=False), False),
        (Matcher("other", "x", equal=False), True),
        (Matcher("other", ""), True),
    ],
)
def test_matchers(matcher: Matcher, hit: bool) -> None:
    assert matcher.matches({"service": "web"}) is hit


NOTICE = Notice("firing", "JobFailed", "critical", "The last run of x failed", "dataflow why x", {"workflow": "x"},
                datetime(2026, 11, 25, tzinfo=UTC))  # fmt: skip


def test_a_message_in_alertmanagers_words_is_understood_again() -> None:
    assert notices_in(json.loads(json.dumps(message_of([NOTICE])))) == [NOTICE]
    assert notices_in({"alerts": [7, {}, {"labels": 3, "status": "firing"}]}) == []


def test_the_file_gives_way_when_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"x" * (6 << 20))
    append(path, [NOTICE])
    assert json.loads(path.read_text())["alert"] == "JobFailed"
    assert path.with_name("alerts.jsonl.1").stat().st_size == 6 << 20


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(taken) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-token", taken
    server.shutdown()
    server.server_close()


def test_a_webhook_is_told_again_after_it_failed(hook: tuple[str, list[Any]], tmp_path: Path) -> None:
    url, taken = hook
    made = channels(AlertSettings(file=False), {"DATAFLOW_ALERTS_WEBHOOK_URL": url}, tmp_path / "x")
    for future in Teller(made).tell([NOTICE]):
        future.result(20)
    assert len(taken) == 2
    assert notices_in(taken[1]) == [NOTICE]


class _Mail(socketserver.StreamRequestHandler):
    """As much of a mail server as is needed to take one mail."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        body = False
        for line in self.rfile:
            self.server.lines.append(line.decode().rstrip())  # type: ignore[attr-defined]
            if line.upper().startswith(b"DATA"):
                body = True
                self.wfile.write(b"354 go on\r\n")
            elif line.startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            elif not body or line == b".\r\n":
                body = False
                self.wfile.write(b"250 fine\r\n")


def test_people_are_told_by_mail(tmp_path: Path) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        server.lines = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = AlertSettings(
            file=False, email_to=("ops@example.org",), smtp=f"127.0.0.1:{server.server_address[1]}", smtp_tls=False
        )
        for future in Teller(channels(settings, {}, tmp_path / "x")).tell([NOTICE]):
            future.result(20)
        server.shutdown()
        assert "Subject: [dataflow] firing: JobFailed" in server.lines  # type: ignore[attr-defined]
        assert any("dataflow why x" in line for line in server.lines)  # type: ignore[attr-defined]


def test_only_the_file_is_told_unless_the_settings_say_more(tmp_path: Path) -> None:
    assert list(channels(AlertSettings(), {}, tmp_path / "x")) == ["file"]
    assert list(channels(AlertSettings(file=False), {}, tmp_path / "x")) == []
