"""`dataflow logs` over the files of a platform that is down: what people type, and what hostile lines may not do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Project

RUN = "0a1b2c3d-0000-0000-0000-000000000000"


def entry(second: int, message: str, level: str = "info", **more: object) -> str:
    time = f"2026-11-24T10:00:{second:02}.000+00:00"
    return json.dumps({"timestamp": time, "level": level, "message": message, **more}) + "\n"


@pytest.fixture
def logged(project: Project) -> Project:
    """A project whose services and one run have written."""
    logs = ".dataflow/logs"
    project.write(
        f"{logs}/dagster-code.jsonl", entry(1, "first") + entry(4, "connection refused", "error") + entry(6, "last")
    )
    project.write(f"{logs}/object-store.jsonl", "W1124 00:00:00.5 s3.go:7 slow\nplain\n")
    run = {"workflow": "shop", "run_id": RUN}
    project.write(
        f"{logs}/runs/{RUN}.jsonl", entry(3, "loaded", step="load", rows=7, **run) + entry(5, "inner", "debug", **run)
    )
    return project


def messages(project: Project, *arguments: str) -> list[str]:
    called = project.call("logs", *arguments, "--json")
    assert called.code == 0, called.out
    return [line["message"] for line in called.data["lines"]]


def test_services_and_runs_are_one_log_in_the_order_of_time(logged: Project) -> None:
    assert messages(logged, "--since", "2026-11-24T10:00:00Z", "--until", "2026-11-24T10:00:06Z") == [
        "first", "loaded", "connection refused", "inner",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--grep", "refused"), ["connection refused"]),
        (("--grep", "REFUSED", "--ignore-case"), ["connection refused"]),
        (("dagster-code", "--exclude", "refused"), ["first", "last"]),
        (("--level", "error"), ["connection refused"]),
        (("--grep", "rows=7"), ["loaded"]),
        (("--workflow", "shop"), ["loaded", "inner"]),
        (("--run", RUN[:8], "--step", "load"), ["loaded"]),
        (("dagster-code", "--tail", "1"), ["last"]),
        (("dagster-code", "--grep", "refused", "--context", "1"), ["first", "connection refused", "last"]),
        (("--run", "last", "--level", "info"), ["loaded"]),
        (("worker",), ["loaded", "inner"]),
        (("--workflow", "other"), []),
    ],
)  # fmt: skip
def test_questions(logged: Project, arguments: tuple[str, ...], found: list[str]) -> None:
    assert messages(logged, *arguments) == found


def test_people_see_no_debug_lines_unless_they_ask(logged: Project) -> None:
    assert "inner" not in logged.call("logs").out
    for option in (("--level", "debug"), ("--verbose",)):
        assert "inner" in logged.call("logs", *option).out


def test_counts_and_a_histogram(logged: Project) -> None:
    counted = logged.call("logs", "dagster-code", "--count", "--json").data
    assert counted == {"services": [{"service": "dagster-code", "lines": 3}], "total": 3}
    stats = logged.call("logs", "dagster-code", "--stats", "--json").data
    assert {(bar["level"], bar["lines"], sum(bar["counts"])) for bar in stats["bars"]} == {
        ("info", 2, 2),
        ("error", 1, 1),
    }
    shown = logged.call("logs", "--stats", COLUMNS="80").out
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--grep", "(x"), 2, "PATTERN_INVALID"),
        (("--since", "soon"), 2, "TIME_INVALID"),
        (("--level", "loud"), 2, "LEVEL_UNKNOWN"),
        (("dagster-cod",), 2, "SERVICE_UNKNOWN"),
        (("--query", '{a="b"}'), 5, "SERVICE_DOWN"),
    ],
)  # fmt: skip
def test_mistakes(logged: Project, arguments: tuple[str, ...], code: int, error: str) -> None:
    called = logged.call("logs", *arguments, "--json")
    assert (called.code, called.error["code"]) == (code, error)


HOSTILE = [
    b"\x1b[2J\x1b[1;1H\x1b[31mred\x1b[0m",
    b"\x1b]0;your title\x07and \x1b]52;c;cGF5bG9hZA==\x07your clipboard",
    b"\x9b31m eight bits",
    b"nul \x00 bell \x07 back \x08\x08\x08",
    b"\xff\xfe not utf-8",
    "right \u202eot tfel".encode(),
    b"[bold red]markup[/bold red] [link=x]y[/]",
    b"a\rb overwritten",
    b'{"timestamp": "2026-11-24T10:00:00Z", "level": ["error"], "message": {"deep": "\\u001b[31m"}}',
    b'{"timestamp": "never", "level": "\\u001b[5mERROR", "message": "lies \\u001b]0;x\\u0007"}',
    b'{"level": "info", "message": ' + b"[" * 5000,
    b"x" * (10 << 20),
]


def test_hostile_lines_change_nothing_but_the_text_shown(project: Project) -> None:
    place = project.root / ".dataflow" / "logs" / "dagster-code.jsonl"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"".join(text + b"\n" for text in HOSTILE))
    for option in ((), ("--raw",), ("--stats",)):
        shown = _as_in_a_terminal(project, "logs", "dagster-code", *option)
        bare = re.sub(rb"\x1b\[[0-9;]*m", b"", shown)  # our own colours
        assert re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", bare.replace(b"\r\n", b"\n")) is None, option
        assert not {"\u202e", "\x9b"} & set(bare.decode())
    plain = project.call("logs", "dagster-code").out
    for kept in ("[bold red]markup[/bold red]", "not utf-8", "your clipboard", "ab overwritten"):
        assert kept in plain
    assert messages(project, "dagster-code", "--level", "error") == []
    assert len(messages(project, "dagster-code", "--tail", "0")) == len(HOSTILE)


def _as_in_a_terminal(project: Project, *arguments: str) -> bytes:
    """What reaches a terminal that can do colours."""
    leader, follower = os.openpty()
    env = {**project.env(), "TERM": "xterm-256color"}
    process = subprocess.Popen([*COMMAND, *arguments], cwd=project.root, env=env, stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 1 << 16)
        except OSError:
            break
        if not data:
            break
        shown += data
    assert process.wait(60) == 0
    os.close(leader)
    assert b"\x1b[" in shown or arguments[-1] != "dagster-code", "it is in colour"
    return shown


def test_following_tells_lines_within_a_third_of_a_second(logged: Project) -> None:
    import time

    process = logged.start("logs", "dagster-code", "--follow", "--tail", "1", "--json")
    assert process.stdout
    try:
        assert json.loads(process.stdout.readline())["message"] == "last"
        time.sleep(0.5)  # it follows now
        place = Path(logged.root / ".dataflow" / "logs" / "dagster-code.jsonl")
        waits: list[float] = []
        for second in range(7, 12):
            began = time.monotonic()
            with place.open("a") as file:
                file.write(entry(second, f"line {second}"))
            assert json.loads(process.stdout.readline())["message"] == f"line {second}"
            waits.append(time.monotonic() - began)
        assert sorted(waits)[2] < 0.6, waits  # the benchmark holds the budget of 0.3 s; here others may work, too
    finally:
        process.kill()
        process.communicate()
