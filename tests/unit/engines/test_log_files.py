"""Log files from either end, with and without a hint: always the same events."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.engines import log_files
from dataflow.engines.log_files import mark, read
from dataflow.engines.log_scan import LogScan
from dataflow.engines.native_logs import follow

START = datetime(2026, 11, 24, tzinfo=UTC)
PIECES = [
    "",
    "plain",
    '{"a": 1}',
    "  indented",
    "\tat x",
    "Traceback (most recent call last):",
    "ValueError: no",
    "nül",
]


def line(number: int, message: str = "said") -> str:
    time = (START + timedelta(seconds=number)).isoformat()
    return json.dumps({"timestamp": time, "level": "info", "message": f"{message} {number}"})


def texts(path: Path, **scan: object) -> list[str]:
    return [event.text for event in read("x", path, LogScan(**scan))]  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.sampled_from(PIECES), max_size=30), block=st.integers(8, 40))
def test_both_ends_and_any_needle_give_the_same_events(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], block: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    path.write_text("".join(f"{text}\n" for text in lines))
    with pytest.MonkeyPatch.context() as small:
        small.setattr(log_files, "_BLOCK", block)
        small.setattr(log_files, "_PROBE", block)
        whole = texts(path)
        assert "\n".join(whole).split() == "\n".join(lines).split()
        assert list(reversed(texts(path, newest_first=True))) == whole
        small.setattr(log_files, "_BLOCK", max(block, 64))  # a needle is found whole in a block
        for needle in ("ValueError", "plain", "n"):
            wanted = [text for text in whole if needle in text]
            assert texts(path, needle=needle) == wanted
            assert list(reversed(texts(path, needle=needle, newest_first=True))) == wanted


def test_a_traceback_is_one_event_and_what_comes_after_it_another(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1\n    f()\nValueError: no'
    path.write_text(f"{line(1)}\n{trace}\n{line(2)}\n")
    assert texts(path) == [line(1), trace, line(2)]
    assert texts(path, needle="ValueError") == [trace]


def test_a_stretch_of_time_is_found_without_reading_all(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f"{line(number)}\n" for number in range(20_000)))
    since = START + timedelta(seconds=19_000)
    found = texts(path, since=since)
    assert line(19_000) in found
    assert line(19_999) == found[-1]
    assert len(found) < 3_000


def test_rotated_files_are_one_log(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    for number, name in enumerate(("x.jsonl.2", "x.jsonl.1", "x.jsonl")):
        (tmp_path / name).write_text(f"{line(number)}\n")
    assert texts(path) == [line(0), line(1), line(2)]
    assert texts(path, newest_first=True) == [line(2), line(1), line(0)]


def test_a_line_that_is_half_written_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f'{line(1)}\n{{"timesta')
    assert texts(path) == [line(1)]
    assert texts(path, newest_first=True) == [line(1)]


def test_a_huge_line_is_cut_and_hurts_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(line(1).encode() + b"\n" + b"x" * (10 << 20) + b"\n\x00\xff\xfe\n" + line(2).encode() + b"\n")
    found = texts(path)
    assert [found[0], len(found[1]), found[-1]] == [line(1), log_files.LONGEST, line(2)]
    assert texts(path, needle="said 2") == [line(2)]
    assert texts(path, newest_first=True)[0] == line(2)


def test_following_loses_and_repeats_nothing_over_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{line(1)}\n")
    at = mark([path])
    lines = follow(lambda: {path: "x"}, at)
    assert next(lines) is None
    with path.open("a") as file:
        file.write(f"{line(2)}\n")
    path.rename(tmp_path / "x.jsonl.1")
    path.write_text(f"{line(3)}\n{line(4)[:20]}")
    found = list(itertools.islice((one for one in lines if one), 2))
    with path.open("a") as file:
        file.write(f"{line(4)[20:]}\n")
    found.append(next(one for one in lines if one))
    assert [one.text for one in found] == [line(2), line(3), line(4)]
    assert [event.text for event in read("x", path, LogScan(mark=at))] == [line(1)]
