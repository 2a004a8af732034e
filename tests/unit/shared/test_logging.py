"""One JSON line schema from three logging libraries, without secrets."""

from __future__ import annotations

import io
import json
import logging
import threading
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loguru import logger as loguru_logger

from dataflow.shared.logging import bound, configure, get_logger, mask, own_frames

FIELDS = ["timestamp", "level", "message", "service", "workflow", "job", "run_id", "step", "logger"]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    level = root.level
    out = io.StringIO()
    configure(service="test", stream=out)
    yield out
    configure(service="test", stream=io.StringIO())
    root.setLevel(level)
    logging.captureWarnings(False)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_three_libraries_write_one_schema(stream: io.StringIO) -> None:
    with bound(workflow="w", job="j", run_id="r", step="s"):
        get_logger("a").info("structlog %s", 1, rows=3)
        loguru_logger.bind(rows=3).info("loguru {}", 1)
        logging.getLogger("c").info("stdlib %s", 1, extra={"rows": 3})
    found = lines(stream)
    assert [list(line)[:9] for line in found] == [FIELDS] * 3
    assert [line["message"] for line in found] == ["structlog 1", "loguru 1", "stdlib 1"]
    for line in found:
        assert {line[key] for key in ("workflow", "job", "run_id", "step")} == {"w", "j", "r", "s"}
        assert (line["service"], line["level"], line["rows"]) == ("test", "info", 3)
        assert line["timestamp"].endswith("Z")
    assert [line["logger"] for line in found] == ["a", __name__, "c"]


def test_fields_are_there_when_nothing_is_bound(stream: io.StringIO) -> None:
    get_logger().warning("x")
    assert [lines(stream)[0][key] for key in ("workflow", "job", "run_id", "step")] == [None] * 4


def test_context_ends_with_its_block_and_stays_in_its_thread(stream: io.StringIO) -> None:
    with bound(run_id="outer"):
        with bound(run_id="inner"):
            get_logger().info("1")
        get_logger().info("2")
        thread = threading.Thread(target=lambda: get_logger().info("3"))
        thread.start()
        thread.join()
    get_logger().info("4")
    assert [line["run_id"] for line in lines(stream)] == ["inner", "outer", None, None]


@pytest.mark.parametrize("library", ["structlog", "loguru", "stdlib"])
def test_an_exception_is_one_field_without_locals_and_secrets(
    stream: io.StringIO, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_TOKEN", "tok-from-environment")
    local_only = "only-in-a-local-" + "variable"
    try:
        raise ValueError(  # noqa: TRY301
            f"refused tok-from-environment at https://u:pa55word@h/ {len(local_only)}"
        )
    except ValueError:
        log = {"structlog": get_logger(), "loguru": loguru_logger, "stdlib": logging.getLogger("x")}[library]
        log.exception("it broke")
    text = stream.getvalue()
    line = lines(stream)[0]
    assert (line["level"], line["message"]) == ("error", "it broke")
    assert "ValueError: refused *** at https://***@h/" in line["exception"]
    assert "Traceback" in line["exception"]
    for secret in ("tok-from-environment", "pa55word", local_only):
        assert secret not in text


def test_secrets_are_masked_in_every_value(stream: io.StringIO) -> None:
    get_logger().info(
        "token=abc123 in text",
        api_token="plain",
        nested={"password": "p", "fine": ["Authorization: Bearer abcdefghijkl"], "n": 1},
        thing=Path("/x?api_key=zzz"),
    )
    line = lines(stream)[0]
    assert line["message"] == "token=*** in text"
    assert line["api_token"] == "***"
    assert line["nested"] == {"password": "***", "fine": ["Authorization: ***"], "n": 1}
    assert "zzz" not in line["thing"]


def test_levels_of_loguru_have_names_and_levels_filter(stream: io.StringIO) -> None:
    loguru_logger.success("s")
    for log in (get_logger(), loguru_logger, logging.getLogger("x")):
        log.debug("unseen")
    assert [line["level"] for line in lines(stream)] == ["success"]


def test_braces_and_reserved_names_break_nothing(stream: io.StringIO) -> None:
    loguru_logger.bind(message="m", name="n", args=1).info('{"a": 1}')
    logging.getLogger("x").info("100%")
    get_logger().info("multi\nline ü", obj=object())
    found = lines(stream)
    assert [line["message"] for line in found] == ['{"a": 1}', "100%", "multi\nline ü"]


def test_warnings_are_lines_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "old" in lines(stream)[0]["message"]


def test_configuring_again_replaces_and_a_file_is_appended_to(stream: io.StringIO, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "x.jsonl"
    for _ in range(2):
        configure(service="again", path=path)
        get_logger().info("once")
    assert stream.getvalue() == ""
    assert [json.loads(line)["service"] for line in path.read_text().splitlines()] == ["again", "again"]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://user:pw@host/db", "postgres://***@host/db"),
        ("https://host/?token=abc&count=1", "https://host/?token=***&count=1"),
        ("api-secret: abc", "api-secret: ***"),
        ("{'password': 'two words'}", "{'password': ***}"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: ***"),
        ("bearer abcdefghijk", "bearer ***"),
        ("the token was refused", "the token was refused"),
        ("12:30:45 http://host:80/path", "12:30:45 http://host:80/path"),
        ("mail user@host", "mail user@host"),
    ],
)
def test_masking(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_values_of_secret_variables_are_masked_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTSCOUT_API_SECRET", "hunter2hunter2")
    monkeypatch.setenv("SHORT_TOKEN", "dev")
    assert mask("x=hunter2hunter2; dev") == "x=***; dev"


def test_people_see_the_cause_and_their_own_frames() -> None:
    def fail() -> None:
        json.loads("{")

    try:
        fail()
    except ValueError:
        trace = traceback.format_exc()
    dagster = f"""dagster.Error: while executing op "counted":

Stack Trace:
  File "/venv/lib/python3.11/site-packages/dagster/plan.py", line 243, in dagster_event_sequence_for_step
    yield from check.generator(step_events)

The above exception was caused by the following exception:
{trace}"""
    seen = own_frames(dagster).splitlines()
    assert seen[0] == "Traceback (most recent call last):"
    assert f'File "{__file__}"' in seen[1]
    assert [line.strip() for line in seen if "File" not in line and "^" not in line][1:] == [
        "fail()", 'json.loads("{")', seen[-1],
    ]  # fmt: skip
    assert seen[-1].startswith("json.decoder.JSONDecodeError: ")
