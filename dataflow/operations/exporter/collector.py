"""Asks all sources side by side and never waits long: a scrape is quick whatever is down.

A source is asked again when its last answer is older than it says. One that takes longer than a scrape may wait
answers for the next one; one that fails keeps its last readings for five minutes, so that alerts do not come and go
with a back end, and `dataflow_source_up` says so at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from dataflow.operations.exporter.metrics import METRICS, Reading

_log = logging.getLogger(__name__)
PATIENCE = 0.12
"""Seconds that a scrape waits for sources."""
HELD = 300.0
"""Seconds that the last readings of a source that fails are shown."""
_HUNG = 20.0  # seconds after which a source that has not answered counts as down


class Source(Protocol):
    """Reads one back end. `every`: seconds for which an answer is good."""

    name: str
    every: float

    def read(self) -> Iterable[Reading]:
        """The readings now. Whatever it raises means that the back end is down."""
        ...


@dataclass
class _Kept:
    """What is known of a source."""

    source: Source
    readings: list[Reading] = field(default_factory=list[Reading])
    good: float | None = None  # when it last answered
    asked: float = float("-inf")
    up: bool = False
    errors: int = 0
    seconds: float = 0.0
    future: Future[tuple[list[Reading], float]] | None = None


class Collector:
    """The readings of all sources, at most as old as each says."""

    def __init__(self, sources: Sequence[Source], constant: Sequence[Reading] = ()) -> None:
        self._kept = [_Kept(source) for source in sources]
        self._constant = list(constant)
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(sources)), thread_name_prefix="source")

    def readings(self, patience: float = PATIENCE) -> list[Reading]:
        """What is known now, after waiting at most `patience` seconds for sources that were due."""
        with self._lock:
            now = time.monotonic()
            for kept in self._kept:
                if kept.future is None and now - kept.asked >= kept.source.every:
                    kept.asked = now
                    kept.future = self._pool.submit(_timed, kept.source)
            wait([kept.future for kept in self._kept if kept.future], timeout=patience)
            for kept in self._kept:
                _settle(kept, time.monotonic())
            return [*self._constant, *(reading for kept in self._kept for reading in _shown(kept))]

    def close(self) -> None:
        """Let the threads end; those that hang are left behind."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _timed(source: Source) -> tuple[list[Reading], float]:
    began = time.monotonic()
    return list(source.read()), time.monotonic() - began


def _settle(kept: _Kept, now: float) -> None:
    """Take a source's answer or failure, if it has come."""
    if kept.future is None:
        return
    if not kept.future.done():
        kept.up = kept.up and now - kept.asked < _HUNG
        return
    error = kept.future.exception()
    if error is None:
        kept.readings, kept.seconds = kept.future.result()
        kept.up, kept.good = True, now
    else:
        if kept.up or not kept.errors:
            _log.warning("%s cannot be read: %s", kept.source.name, str(error) or type(error).__name__)
        kept.up, kept.errors = False, kept.errors + 1
        if kept.good is not None and now - kept.good > HELD:
            kept.readings = []
    kept.future = None


def _shown(kept: _Kept) -> Iterator[Reading]:
    name = (kept.source.name,)
    yield from kept.readings
    yield Reading("dataflow_source_up", name, float(kept.up))
    yield Reading("dataflow_source_errors_total", name, kept.errors)
    yield Reading("dataflow_source_duration_seconds", name, round(kept.seconds, 4))


def families(readings: Iterable[Reading]) -> Iterator[object]:
    """Readings in the form that prometheus_client prints, one family per metric."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    grouped: dict[str, list[Reading]] = {}
    for reading in readings:
        grouped.setdefault(reading.metric, []).append(reading)
    for name, found in grouped.items():
        metric = METRICS[name]
        family = kinds[metric.kind](name, metric.help, labels=metric.labels)
        for reading in found:
            _add(family, reading)
        yield family


def _add(family: object, reading: Reading) -> None:
    add = getattr(family, "add_metric")  # noqa: B009 - three classes without a common one
    if isinstance(reading.value, (int, float)):
        add(reading.labels, reading.value)
        return
    buckets = [("+Inf" if bound == float("inf") else f"{bound:g}", count) for bound, count in reading.value.counts]
    add(reading.labels, buckets, sum_value=reading.value.sum)
