"""Causes that programs tell in their own words: in log lines, health checks and the errors of steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dataflow.operations.causes.model import Fact
from dataflow.operations.log_parse import NEVER, parse
from dataflow.system.log_text import Stored

LINES_READ = 60
_LINES_SHOWN = 5
_LONGEST = 500
_BAD = re.compile(
    r"\b(warn(ing)?|error|fatal|critical|panic|failed|failure|exception|refused|denied|cannot|unable)\b", re.IGNORECASE
)
_LEVELS = {"warning", "error", "critical"}
_NO_ANSWER = (
    r"does not answer|did not answer in time|\bfailed \(50\d\)|ConnectError|ConnectTimeout|ReadTimeout"
    r"|connection refused|name or service not known|temporary failure in name resolution|URLError"
    r"|no route to host|network is unreachable"
)
_SERVICE_WORDS = (
    ("disk-full", r"no space left on device|disk quota exceeded|disk is full"),
    ("port-taken", r"address already in use|port is already allocated|address in use"),
    ("bad-password", r"password authentication failed"),
    ("out-of-memory", r"cannot allocate memory|std::bad_alloc|\bMemoryError\b|\bout of memory\b"),
)
_RUN_WORDS = (
    ("run-killed", r"killed or crashed|never began|run worker .*(?:crashed|unexpectedly)"),
    ("disk-full", r"no space left on device|disk quota exceeded|the disk is full|not enough space"),
    ("warehouse-locked", r"is locked by |could not set lock on file"),
    ("bad-password", r"password authentication failed"),
    ("store-down", r"the object store at \S+ (?:does not answer|is not ready)"),
    ("out-of-memory", r"cannot allocate memory|\bMemoryError\b|out of memory"),
    ("dbt-test-failed", r"Failure in test |Got \d+ results?, configured to fail"),
    ("dbt-failed", r"dbt could not build"),
    ("source-down", _NO_ANSWER),
)


def service_cause(text: str) -> str | None:
    """The cause that a service's words tell of; None where they tell of none that is known."""
    return _first(_SERVICE_WORDS, text)


def run_cause(text: str) -> str | None:
    """The cause that the error of a run or a step tells of."""
    return _first(_RUN_WORDS, text)


def bad_lines(service: str, lines: Sequence[str]) -> tuple[Fact, ...]:
    """The last lines that are warnings or errors; where there are none, the last ones of any kind."""
    read = [parse(Stored(service, line)) for line in lines if line.strip()]
    bad = [one for one in read if one.level in _LEVELS or (not one.level and _BAD.search(one.message))]
    return tuple(
        Fact("log", one.message[:_LONGEST], service, None if one.timestamp == NEVER else one.timestamp)
        for one in (bad or read)[-_LINES_SHOWN:]
    )


def line_with(cause: str, lines: Iterable[str]) -> str:
    """The last line that tells of a cause; empty where none does."""
    return next((line for line in reversed(list(lines)) if service_cause(line) == cause), "")


def _first(words: Iterable[tuple[str, str]], text: str) -> str | None:
    return next((cause for cause, pattern in words if re.search(pattern, text, re.IGNORECASE)), None)
