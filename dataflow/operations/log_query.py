"""A question in Loki's own language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from dataflow.clients.loki import Entry, nanoseconds
from dataflow.errors import Action, MissingError
from dataflow.models import LogLine
from dataflow.operations.context import Context
from dataflow.operations.log_filter import LogFilter
from dataflow.operations.log_parse import parse
from dataflow.operations.log_sources import LOKI, loki_of
from dataflow.operations.logs import Lines
from dataflow.system.log_text import Stored

_LINES = 1000
_POINTS = 60
_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Point:
    """A figure at a time."""

    time: datetime
    value: float


@dataclass(frozen=True, slots=True)
class OneSeries:
    """The figures of one set of labels, written as Loki does."""

    labels: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class LogSeries:
    """The answer to a metric query."""

    series: tuple[OneSeries, ...]


def ask(context: Context, query: str, wanted: LogFilter, tail: int | None) -> Lines | LogSeries:
    """The last lines that a log query finds, or the figures of a metric query; of the last hour unless told otherwise.

    Raises:
        MissingError: SERVICE_DOWN; there is no Loki.
        UsageError: QUERY_INVALID, with Loki's own words.
        BackendError: BACKEND_DOWN, BACKEND_FAILED.
    """
    loki = loki_of(context)
    if loki is None:
        actions = (Action("Start it", "dataflow up --engine docker --profile observability"),)
        raise MissingError("--query asks Loki, which does not run.", code="SERVICE_DOWN", actions=actions)
    until = wanted.until or datetime.now(UTC)
    since = wanted.since or until - _BACK
    first, last = nanoseconds(since), nanoseconds(until)
    step = max(int((until - since).total_seconds() / _POINTS), 1)
    if loki.is_metric(query, since=first, until=last, step=step):
        found = loki.series(query, since=first, until=last, step=step)
        return LogSeries(tuple(OneSeries(_labels(one.labels), _points(one.points)) for one in found))
    entries = islice(loki.entries(query, since=first, until=last, newest_first=True), tail or _LINES)
    return Lines(tuple(_line(entry) for entry in reversed(list(entries))))


def _line(entry: Entry) -> LogLine:
    """What the text says, else what the collector found in it: a query may have formatted the line anew."""
    line, labels = parse(_stored(entry)), entry.labels
    return replace(
        line,
        level=line.level or labels.get("level", ""),
        workflow=line.workflow or labels.get("workflow"),
        run_id=line.run_id or labels.get("run_id"),
        step=line.step or labels.get("step"),
    )


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _points(points: tuple[tuple[float, float], ...]) -> tuple[Point, ...]:
    return tuple(Point(datetime.fromtimestamp(time, UTC), value) for time, value in points)


def _stored(entry: Entry) -> Stored:
    time = datetime.fromtimestamp(entry.nanoseconds / 1e9, UTC)
    return Stored(entry.labels.get("service", LOKI), entry.text, time)
