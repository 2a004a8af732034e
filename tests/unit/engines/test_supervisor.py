from __future__ import annotations

import configparser
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.engines import stack
from dataflow.engines.launch import Launch
from dataflow.engines.supervisor import Client, Crash, configuration, crashes, is_loop, socket_path
from dataflow.errors import BackendError
from dataflow.events import Event


def test_secrets_are_named_in_the_configuration_and_never_written(tmp_path: Path) -> None:
    launch = Launch("web", ("/bin/pro gram", "100%"), {"KEY": "{{env.DATAFLOW_S3_SECRET_KEY}}"}, {}, (), "TERM", 7)
    text = configuration(ProjectPaths(tmp_path), {"web": launch})
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    program = dict(parser["program:web"])
    assert program["environment"] == 'KEY="%(ENV_DATAFLOW_S3_SECRET_KEY)s"'
    assert program["command"] == '"/bin/pro gram" "100%%"'
    assert program["stopwaitsecs"] == "7"


def test_the_socket_lies_in_the_project_unless_its_path_is_too_long(tmp_path: Path) -> None:
    short = ProjectPaths(Path("/p"))
    assert socket_path(short) == Path("/p/.dataflow/run/supervisor.sock")
    deep = ProjectPaths(tmp_path / ("long" * 30))
    assert len(str(socket_path(deep))) < 100
    assert deep.stack_id in socket_path(deep).name


def test_only_unexpected_ends_count_as_crashes(tmp_path: Path) -> None:
    log = tmp_path / "supervisord.log"
    log.write_text(
        "2026-11-23 08:11:13,100 INFO spawned: 'web' with pid 12\n"
        "2026-11-23 08:11:14,200 WARN exited: web (exit status 1; not expected)\n"
        "2026-11-23 08:11:15,300 WARN exited: web (terminated by SIGKILL; not expected)\n"
        "2026-11-23 08:11:16,400 INFO exited: web (exit status 0; expected)\n"
        "2026-11-23 08:11:17,500 INFO stopped: web (terminated by SIGTERM)\n"
    )
    found = crashes(log, {})
    assert [crash.how for crash in found["web"]] == ["exit status 1", "terminated by SIGKILL"]
    assert crashes(tmp_path / "none", {}) == {}
    later = datetime(2026, 11, 23, 8, 11, 15).astimezone().isoformat()
    assert [crash.how for crash in crashes(log, {"web": later})["web"]] == ["terminated by SIGKILL"]


def test_three_crashes_within_two_minutes_are_a_loop() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    recent = [Crash(now - timedelta(seconds=seconds), "x") for seconds in (1, 10, 100)]
    assert is_loop(recent, now)
    assert not is_loop(recent[:2], now)
    assert not is_loop([Crash(now - timedelta(minutes=10), "x")] * 5, now)


def test_no_supervisor_is_an_error_and_not_alive(tmp_path: Path) -> None:
    client = Client(tmp_path / "none.sock")
    assert not client.alive()
    with pytest.raises(BackendError) as caught:
        client.call("getState")
    assert caught.value.code == "SUPERVISOR_DOWN"


def test_a_corrupt_stack_file_is_kept_aside_and_reported(tmp_path: Path) -> None:
    seen: list[Event] = []
    path = tmp_path / "stack.json"
    for text in ('{"version": 1, "por', "[]", "\x00\x01"):
        path.write_text(text)
        assert stack.load(path, seen.append) == stack.Stack()
        assert not path.exists()
    assert len(seen) == 3
    assert list(tmp_path.glob("stack.json.corrupt-*"))


def test_a_stack_survives_writing_and_reading(tmp_path: Path) -> None:
    whole = stack.Stack({"web": {"http": 1}}, {"web": {"command": "x"}}, {"A": "b"})
    stack.save(tmp_path / "stack.json", whole)
    assert stack.load(tmp_path / "stack.json") == whole


def test_a_stack_with_nonsense_inside_is_read_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(
        '{"version": 1, "ports": {"web": {"http": "many", "s": 2}, "x": 3}, "launches": 7}'
    )
    assert stack.load(tmp_path / "stack.json").ports == {"web": {"s": 2}}
