"""What services write, as they really do, and what is made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dataflow.operations.log_parse import parse, parsed
from dataflow.system.log_text import Stored

KEPT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "level", "message"),
    [
        ('{"timestamp": "2026-11-24T10:00:00Z", "level": "ERROR", "message": "no"}', "error", "no"),
        ('{"event": "Started", "level": "info", "timestamp": "2026-11-24T10:00:00Z"}', "info", "Started"),
        ('level=warn ts=2026-11-24T10:00:00Z caller=x.go msg="slow disk"', "warning", None),
        ("2026-11-24 10:00:00.000 UTC [12] FATAL:  wrong password", "critical", "wrong password"),
        ("2026-11-24 10:00:00.000 UTC [12] LOG:  ready\n\tmore", "info", "ready\n\tmore"),
        ("\x1b[32m2026-11-24 10:00:00 +0000\x1b[0m - dagster.daemon - \x1b[34mINFO\x1b[0m - Hello", "info", "Hello"),
        ("Traceback (most recent call last):\n  x\nValueError: no", "error", None),
        ("just words", "", "just words"),
        ("{not json", "", "{not json"),
        ('{"level": "error"}', "", '{"level": "error"}'),
        ("[1, 2]", "", "[1, 2]"),
    ],
)  # fmt: skip
def test_level_and_message(text: str, level: str, message: str | None) -> None:
    line = parse(Stored("x", text, KEPT))
    assert (line.level, line.raw) == (level, text)
    assert line.message == (text if message is None else message)
    assert line.timestamp.astimezone(UTC).isoformat() in {"2026-11-24T10:00:00+00:00", KEPT.isoformat()}


def test_seaweed_writes_without_a_year_in_local_time() -> None:
    line = parse(Stored("object-store", "E1124 10:00:00.123456 s3api.go:12 no such key"))
    assert (line.level, line.message, line.context) == ("error", "no such key", {"place": "s3api.go:12"})
    assert line.timestamp.astimezone().strftime("%m%d %H:%M:%S") == "1124 10:00:00"


def test_context_run_and_step_of_our_own_lines() -> None:
    data = {
        "timestamp": "2026-11-24T10:00:00Z",
        "level": "info",
        "message": "in",
        "workflow": "w",
        "run_id": "r",
        "step": "s",
        "rows": 3,
        "job": None,
    }
    line = parse(Stored("worker", json.dumps(data)))
    assert (line.workflow, line.run_id, line.step, line.context) == ("w", "r", "s", {"rows": 3})


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_line_without_a_time_has_that_of_a_neighbour(newest_first: bool) -> None:
    dated = '{"timestamp": "2026-11-24T10:00:00Z", "level": "info", "message": "m"}'
    stored = [Stored("x", "before"), Stored("x", dated), Stored("x", "after")]
    lines = parsed(reversed(stored) if newest_first else stored, KEPT, newest_first=newest_first)
    assert {line.timestamp.isoformat() for line in lines} == {"2026-11-24T10:00:00+00:00"}
    (alone,) = parsed([Stored("x", "alone")], KEPT, newest_first=newest_first)
    assert alone.timestamp == KEPT
