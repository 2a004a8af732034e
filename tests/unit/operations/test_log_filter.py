"""Which lines are wanted, and the hint that lets files be searched fast."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import UsageError
from dataflow.models import LogLine
from dataflow.operations.log_filter import LogFilter, compiled, known_level, with_context
from dataflow.operations.log_parse import parse
from dataflow.operations.moments import moment
from dataflow.system.log_text import Stored

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def line(message: str = "m", level: str = "info", **more: object) -> LogLine:
    return LogLine(NOW, level, message, "x", **more)  # type: ignore[arg-type]


def test_any_grep_and_no_exclude_over_message_and_context() -> None:
    wanted = LogFilter(
        grep=compiled(["refused", "rows=3"], ignore_case=False), exclude=compiled(["ok"], ignore_case=True)
    )
    assert wanted(line("connection refused"))
    assert wanted(line("in", context={"rows": 3}))
    assert not wanted(line("refused, but OK"))
    assert not wanted(line("Refused"))


def test_a_level_is_that_one_and_above_and_no_level_is_information() -> None:
    wanted = LogFilter(level="warning")
    assert [wanted(line(level=name)) for name in ("", "debug", "info", "warning", "error", "critical")] == [
        False, False, False, True, True, True,
    ]  # fmt: skip
    assert LogFilter(level="info")(line(level=""))
    assert known_level("WARN") == "warning"


@pytest.mark.parametrize(
    ("text", "ago"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("now", 0), ("2h ago", 7200)],
)
def test_moments_ago(text: str, ago: int) -> None:
    assert moment(text, NOW) == NOW - timedelta(seconds=ago)


def test_moments_by_date_and_time() -> None:
    assert moment("2026-11-24T10:00:00Z", NOW) == NOW - timedelta(hours=2)
    assert moment("2026-11-24", NOW) == datetime(2026, 11, 24).astimezone()
    assert moment("9:05", NOW).astimezone().strftime("%H:%M:%S") == "09:05:00"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: moment("soon", NOW), "TIME_INVALID"),
        (lambda: compiled(["(x"], ignore_case=False), "PATTERN_INVALID"),
        (lambda: known_level("loud"), "LEVEL_UNKNOWN"),
    ],
)
def test_what_is_mistyped_has_a_code(call: object, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()  # type: ignore[operator]
    assert caught.value.code == code


def test_lines_around_a_hit_come_once() -> None:
    wanted = LogFilter(grep=compiled(["hit"], ignore_case=False))
    lines = [line(text) for text in ("a", "b", "hit 1", "c", "hit 2", "d", "e", "f")]
    assert [one.message for one in with_context(lines, wanted, 1)] == ["b", "hit 1", "c", "hit 2", "d"]
    assert [one.message for one in with_context(lines, wanted, 0)] == ["hit 1", "hit 2"]


PATTERNS = [
    "refused",
    "time(d )?out",
    "a|b",
    "x+y",
    "rows=\\d+",
    "^in$",
    "né",
    "[ab]c",
    "a.c",
    "(?i)ABC",
    "",
    "a\\.b",
    "1, 2",
]


@given(
    pattern=st.sampled_from(PATTERNS),
    message=st.text("refusdtimoabcxy .éin|,12", max_size=12),
    value=st.one_of(
        st.integers(0, 30), st.booleans(), st.text("ab .", max_size=4), st.lists(st.integers(0, 3), max_size=3)
    ),
)
def test_whatever_matches_holds_the_needle(pattern: str, message: str, value: object) -> None:
    wanted = LogFilter(grep=(re.compile(pattern),))
    raw = json.dumps({"timestamp": NOW.isoformat(), "level": "info", "message": message, "rows": value})
    if wanted(parse(Stored("x", raw))):
        assert wanted.needle in raw


def test_needles_are_worth_it() -> None:
    needles = {
        pattern: LogFilter(grep=(re.compile(pattern),)).needle
        for pattern in ("refused by", "time(d )?out", "a|b", "GET /x")
    }
    assert needles == {"refused by": "refused by", "time(d )?out": "time", "a|b": "", "GET /x": "GET"}
