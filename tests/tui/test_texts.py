"""Texts: figures as people read them, and nothing that a terminal would take for more than text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataflow.errors import Place
from dataflow.events import LogSeen, Noted, Progressed, StepChanged
from dataflow.models import Finding, LogLine, PortUse, ServiceStatus, StepRun
from dataflow.operations.validate import Validated
from dataflow.operations.why import WhyResult
from dataflow_tui import prose
from dataflow_tui.demo.platform import DemoPlatform
from dataflow_tui.text import ago, cell, clean, clock, number, one_line, size, spark, title
from dataflow_tui.themes import DARK, look_of
from dataflow_tui.views.steps import bar, run_head
from dataflow_tui.widgets.work_panel import work_text
from dataflow_tui.work import Work

LOOK = look_of(DARK)
NOW = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x00b\x07", "a·b·"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("two\nlines\there", "two\nlines\there"),
        ("\u202egnp.exe", "·gnp.exe"),
        ("\ud800", "·"),
        ("plain 日本 é 🙂", "plain 日本 é 🙂"),
    ],
)
def test_clean(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_what_is_long_is_cut_and_says_so() -> None:
    assert clean("x" * 11_000) == "x" * 10_000 + "… (11,000 characters)"
    assert one_line("a\nb\tc") == "a ⏎ b c"
    assert title("[/x]") != "[/x]"
    assert cell(None).plain == number(None).plain == "-"
    assert number(1234).plain == "1,234"
    assert number(True).plain == "True"


def test_figures() -> None:
    assert [size(one) for one in (None, 12, 1500, 150_000, 3_400_000, 2_000_000_000_000_000)] == [
        "-", "12 B", "1.5 kB", "150 kB", "3.4 MB", "2000 TB",
    ]  # fmt: skip
    spans = {0.4: "0.4 s", 12: "12 s", 300: "5 min", 3600 * 2 + 300: "2 h", 3600 * 20: "20 h", 86400 * 3: "3 d"}
    assert {seconds: ago(NOW - timedelta(seconds=seconds), NOW) for seconds in spans} == {
        seconds: f"{shown} ago" for seconds, shown in spans.items()
    }
    assert (ago(None), clock(None)) == ("-", "-")
    assert len(clock(NOW - timedelta(days=9))) == len("2026-11-17 14:00")
    assert (spark([0, 0]), spark([1, 4, 8]), spark([])) == ("▁▁", "▁▄█", "")


def test_a_service_tells_everything() -> None:
    ports = (PortUse("s3", 8335, 8333), PortUse("grpc", 1, 1))
    one = ServiceStatus("a", "A", "g", "running", "unhealthy", NOW, "http://x", 7, 1, 2, ports, "i", 1.25, "it hangs")
    text = prose.service_text(one, LOOK).plain
    for words in ("✗ unhealthy", "s3 8335 (wanted 8333)", "1.2 % of one", "it hangs", "restarts   2"):
        assert words in text


def test_longer_texts_say_when_there_is_nothing() -> None:
    assert prose.why_text(WhyResult("p", NOW, None, (), ("Loki is down.",)), LOOK).plain == (
        "✓ Nothing is wrong.\nnot known: Loki is down."
    )
    assert prose.findings_text(Validated(("a", "b"), (), 0.1), LOOK).plain == "✓ Nothing is wrong with a, b."
    assert prose.lines_text((), LOOK).plain == "It has told nothing yet."
    place = Place(Path("a.yaml"), 3)
    assert "✗ rule  a.yaml:3" in prose.finding_text(Finding("rule", "m", place), LOOK).plain


def test_a_long_log_shows_its_end() -> None:
    lines = tuple(LogLine(NOW, "error", f"n{number}", context={"exception": "Trace"}) for number in range(2100))
    text = prose.lines_text(lines, LOOK).plain
    assert text.startswith("… 100 lines before these")
    assert "n2099" in text
    assert "n99 " not in text


def test_steps_lie_where_they_ran() -> None:
    end = NOW + timedelta(seconds=10)
    assert bar(StepRun("a", "success", NOW, 5.0), NOW, end) == "━" * 4
    assert bar(StepRun("b", "success", NOW + timedelta(seconds=5), 5.0), NOW, end) == " " * 4 + "━" * 4
    assert bar(StepRun("c", "skipped"), NOW, end) == ""
    failed = next(run for run in DemoPlatform(pace=0).runs().runs if run.state == "failure")
    assert "HTTP 503" in run_head(DemoPlatform(pace=0).run(failed.id), LOOK).plain


def test_work_tells_what_goes_on_and_how_it_ended() -> None:
    work = Work("up", lambda _: None)
    for event in (
        StepChanged("loki", "started", "pulling"),
        Progressed("loki", 3, 10, "MB"),
        StepChanged("postgres", "done", "healthy", 1.5),
        Noted("The port 3000 is taken.", warning=True),
        LogSeen("loki", "error", "no memory"),
        LogSeen("loki", "info", "hello"),
    ):
        work.hear(event)
    text = work_text(work, LOOK).plain
    for words in ("◐ loki 3 of 10 MB", "✓ postgres  healthy  1.5 s", "▲ The port 3000", "✗ loki: no memory", "started"):
        assert words in text
    work.end(ValueError("bad"))
    assert (work.state, work.running) == ("failed", {})
    assert "ValueError: bad" in work_text(work, LOOK).plain
