"""From what a service wrote to a line of a log: its time, level and message, whatever the format.

JSON in our schema or Dagster's, logfmt (Loki, Alloy, Prometheus), glog (SeaweedFS), Postgres, Dagster's coloured text;
anything else is a message without a level.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from dataflow.models import LogLine
from dataflow.system.log_text import Stored

_FIELDS = {"timestamp", "level", "message", "event", "service", "workflow", "run_id", "step"}
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_LEVELS = {
    "trace": "debug", "debug": "debug", "debug1": "debug", "debug2": "debug", "debug3": "debug", "debug4": "debug",
    "debug5": "debug", "d": "debug", "info": "info", "information": "info", "log": "info", "notice": "info",
    "success": "info", "i": "info", "statement": "info", "detail": "info", "hint": "info", "warn": "warning",
    "warning": "warning", "w": "warning", "error": "error", "err": "error", "eror": "error", "e": "error",
    "critical": "critical", "crit": "critical", "fatal": "critical", "panic": "critical", "emerg": "critical",
    "alert": "critical", "f": "critical",
}  # fmt: skip
_LOGFMT = re.compile(r'(?:^|\s)(?P<key>ts|time|level|lvl|msg)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S*))')
_GLOG = re.compile(
    r"(?P<level>[IWEF])(?P<month>\d\d)(?P<day>\d\d) (?P<time>\d\d:\d\d:\d\d\.\d+) +(?:\d+ )?"
    r"(?P<place>\S+:\d+)\]? ?(?P<said>.*)",
    re.DOTALL,
)
_POSTGRES = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) UTC \[\d+\] (?:\S+ )?(?P<level>[A-Z]+\d?):  (?P<said>.*)", re.DOTALL
)
_DAGSTER = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}) - (?P<logger>\S+) - (?P<level>[A-Z]+) - (?P<said>.*)",
    re.DOTALL,
)
_TRACEBACK = "Traceback (most recent call last):"


def parsed(events: Iterable[Stored], late: datetime, *, newest_first: bool = False) -> Iterator[LogLine]:
    """Lines of one service. One without a time has that of the line before it, else of the next, else `late`."""
    events = (event for event in events if event.text.strip())  # Loki keeps no empty lines
    if newest_first:
        yield from _backwards(events, late)
        return
    known: datetime | None = None
    waiting: list[LogLine] = []
    for event in events:
        line = parse(event, known)
        if line.timestamp == NEVER and len(waiting) < _WAIT:
            waiting.append(line)
            continue
        known = line.timestamp
        yield from (one.at(known) for one in waiting)
        waiting = []
        yield line
    yield from (one.at(late) for one in waiting)


def parse(event: Stored, known: datetime | None = None) -> LogLine:
    """One event; `known` is its time where neither it nor its keeper tells one."""
    text = event.text
    spare = event.time or known or NEVER
    if text.startswith("{") and (line := _from_json(event, spare)):
        return line
    clean = _ESCAPES.sub("", text)
    for read in (_from_glog, _from_postgres, _from_dagster, _from_logfmt):
        if found := read(clean):
            time, level, message, more = found
            named = _LEVELS.get(level.lower(), "")
            return LogLine(time or spare, named, message, event.service, context=more, raw=text)
    level = "error" if clean.startswith(_TRACEBACK) else ""
    return LogLine(spare, level, clean, event.service, raw=text)


NEVER = datetime.fromtimestamp(0, UTC)
"""The time of a line of which nobody knows one."""
_WAIT = 1000  # lines at the beginning that may wait for a first time


def _backwards(events: Iterable[Stored], late: datetime) -> Iterator[LogLine]:
    """The time of the line before one is only known afterwards: those without a time wait for it."""
    after = late
    waiting: list[LogLine] = []
    for event in events:
        line = parse(event)
        if line.timestamp == NEVER:
            waiting.append(line)
            continue
        yield from (one.at(line.timestamp) for one in waiting)
        waiting = []
        after = line.timestamp
        yield line
    yield from (one.at(after) for one in waiting)


def _from_json(event: Stored, spare: datetime) -> LogLine | None:
    try:
        data: Any = json.loads(event.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    values: dict[str, Any] = data
    message = values.get("message", values.get("event", values.get("msg")))
    if message is None:
        return None
    return LogLine(
        timestamp=_time(values.get("timestamp")) or spare,
        level=_LEVELS.get(str(values.get("level", "")).lower(), ""),
        message=str(message),
        service=event.service,
        run_id=_text(values.get("run_id")),
        step=_text(values.get("step")),
        context={key: value for key, value in values.items() if key not in _FIELDS and value is not None},
        workflow=_text(values.get("workflow")),
        raw=event.text,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except ValueError:
        return None


Found = tuple[datetime | None, str, str, dict[str, object]]


def _from_glog(text: str) -> Found | None:
    if not (match := _GLOG.match(text)):
        return None
    year = datetime.now(UTC).year
    local = f"{year}-{match['month']}-{match['day']} {match['time'][:15]}"
    try:
        time = datetime.fromisoformat(local).astimezone()
    except ValueError:
        time = None
    return time, match["level"], match["said"], {"place": match["place"]}


def _from_postgres(text: str) -> Found | None:
    match = _POSTGRES.match(text)
    return (_time(match["time"]), match["level"], match["said"], {}) if match else None


def _from_dagster(text: str) -> Found | None:
    match = _DAGSTER.match(text)
    return (_time(match["time"]), match["level"], match["said"], {}) if match else None


def _from_logfmt(text: str) -> Found | None:
    if "level=" not in text and "lvl=" not in text:
        return None
    found = {match["key"]: match["quoted"] or match["bare"] or "" for match in _LOGFMT.finditer(text)}
    level = found.get("level", found.get("lvl"))
    if level is None:
        return None
    return _time(found.get("ts", found.get("time"))), level, text, {}
