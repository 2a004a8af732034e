"""The rules against readings, as Prometheus would: what holds now, for how long, and what that makes an alert.

The state goes from one evaluation to the next as plain JSON. Where nobody evaluated for two minutes, what only was on
its way to an alert begins anew, for nobody knows that it held all the time; what fires goes on.
"""

from __future__ import annotations

import hashlib
import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from dataflow.operations.alerting.rules import Rule, load_rules
from dataflow.operations.exporter.metrics import Reading

GAP = 120.0
"""Seconds between two evaluations after which nothing is known of the time between."""
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}

Key = tuple[tuple[str, str], ...]
Samples = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Active:
    """What holds: since when, and since when it fires; None while it is on its way. Times in seconds since 1970."""

    id: str
    rule: str
    labels: dict[str, str]
    since: float
    fired: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One look: when, what holds, and the past values that `increase` needs."""

    time: float
    active: tuple[Active, ...] = ()
    samples: Samples = field(default_factory=dict[str, list[tuple[float, float]]])

    @property
    def firing(self) -> dict[str, Active]:
        """What fires, by id."""
        return {one.id: one for one in self.active if one.fired is not None}

    def as_json(self) -> dict[str, Any]:
        """For the state file."""
        return asdict(self)


def from_json(data: Mapping[str, Any]) -> Evaluation:
    """The opposite; an empty one for what it did not write."""
    try:
        active = tuple(Active(**entry) for entry in data["active"])
        samples = {key: [(float(at), float(value)) for at, value in found] for key, found in data["samples"].items()}
        return Evaluation(float(data["time"]), active, samples)
    except (KeyError, TypeError, ValueError):
        return Evaluation(0.0)


def evaluate(
    readings: Iterable[Reading], before: Evaluation, now: float, rules: Iterable[Rule] | None = None
) -> Evaluation:
    """The next evaluation after `before`."""
    series: dict[str, dict[Key, float]] = {}
    for reading in readings:
        if isinstance(reading.value, int | float):
            series.setdefault(reading.metric, {})[tuple(sorted(reading.named.items()))] = float(reading.value)
    known = {one.id: one for one in before.active}
    fresh = now - before.time <= GAP
    samples: Samples = {}
    active: list[Active] = []
    for rule in load_rules() if rules is None else rules:
        held = _holding(rule, series, before.samples, samples, now)
        active += [_next(rule, dict(key), known, now, fresh=fresh) for key in held]
    return Evaluation(now, tuple(active), samples)


def _holding(
    rule: Rule, series: Mapping[str, Mapping[Key, float]], before: Samples, after: Samples, now: float
) -> Iterator[Key]:
    """The labels of the series for which the rule holds. Values for later looks go to `after`."""
    for key, value in series.get(rule.metric, {}).items():
        labels = dict(key)
        if not all(re.fullmatch(pattern, labels.get(label, "")) for label, pattern in rule.where.items()):
            continue
        left = now - value if rule.age else value
        if rule.increase:
            name = f"{rule.name} {json.dumps(labels, sort_keys=True)}"
            kept = [one for one in before.get(name, ()) if one[0] >= now - rule.increase]
            after[name] = [*kept, (now, value)]
            left = grown(after[name])
        other = series.get(rule.per, {}).get(key) if rule.per else 1.0
        factor = series.get(rule.times, {}).get(key) if rule.times else 1.0
        if other is None or factor is None or other == 0:
            continue
        if _COMPARE[rule.comparison](left / other, rule.value * factor + rule.plus):
            yield key


def grown(values: list[tuple[float, float]]) -> float:
    """How much a counter grew, which may have begun anew at 0 in between."""
    total = 0.0
    for (_, early), (_, late) in pairwise(values):
        total += late - early if late >= early else late
    return total


def _next(rule: Rule, labels: dict[str, str], known: Mapping[str, Active], now: float, *, fresh: bool) -> Active:
    name = identity(rule.name, labels)
    before = known.get(name)
    if before is None or (before.fired is None and not fresh):
        before = Active(name, rule.name, labels, now)
    due = before.fired is None and now - before.since >= rule.hold
    return Active(name, rule.name, labels, before.since, now if due else before.fired)


def identity(rule: str, labels: Mapping[str, str]) -> str:
    """A short name for an alert, the same as long as its labels are."""
    text = json.dumps({"alertname": rule, **labels}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
