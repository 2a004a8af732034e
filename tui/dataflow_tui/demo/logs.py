"""What the services of the demo write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from random import Random

from dataflow.models import LogLine
from dataflow_tui.demo.runs import Stage

_SAID: tuple[tuple[str, str, str], ...] = (
    ("object-store", "info", "PUT /lake/raw/orders/{n}.parquet 200 in {ms} ms"),
    ("object-store", "info", "GET /lake/raw/customers/{n}.parquet 200 in {ms} ms"),
    ("object-store", "warning", "slow request: PUT /lake/raw/entries/{n}.parquet took {ms} ms"),
    ("postgres", "info", "checkpoint complete: wrote {n} buffers, sync {ms} ms"),
    ("dagster-daemon", "info", "Checking for new runs for the following schedules: nightscout, orders"),
    ("dagster-daemon", "info", "Launched 0 runs, {n} ticks"),
    ("dagster-webserver", "info", 'GET /graphql 200 in {ms} ms "runs"'),
    ("dagster-code", "info", "Loaded 3 workflows in {ms} ms"),
    ("alloy", "warning", "could not push to loki: dial tcp: connect: connection refused, retry {n}"),
    ("alloy", "error", 'final error sending batch status=-1 error="Post loki/api/v1/push: connection refused"'),
    ("prometheus", "info", "Scraped 11 targets in {ms} ms"),
    ("grafana", "warning", "data source loki: no answer in {ms} ms"),
    ("exporter", "info", "Evaluated 14 rules in {ms} ms: 2 fire"),
)
_BACK = 400


def new_line(random: Random, time: datetime) -> LogLine:
    """A line of one of the services."""
    service, level, text = random.choices(_SAID, weights=[1 if level == "error" else 6 for _, level, _ in _SAID])[0]
    number, took = random.randrange(1, 900), random.randrange(2, 400)
    message = text.format(n=number, ms=took)
    return LogLine(time, level, message, service, context={"request": f"{number:04x}"}, raw=message)


def history(stage: Stage, now: datetime) -> Iterator[LogLine]:
    """The lines of the last hour, the same at each time of asking."""
    random = Random(11)  # noqa: S311 - it plays
    said = [new_line(random, now - timedelta(seconds=9 * number)) for number in range(_BACK, 0, -1)]
    written = [line for played in stage.played[:6] for line in played.log(now)]
    written.sort(key=lambda line: line.timestamp)
    yield from merge(written, said, key=lambda line: line.timestamp)
