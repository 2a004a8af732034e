"""Alerts: what fires, who acknowledged it, what is silenced. From Alertmanager, or from the native engine's board."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from dataflow.clients.alertmanager import Alertmanager, Silence
from dataflow.engines.base import Observation
from dataflow.errors import Action, MissingError
from dataflow.operations.alerting.board import Board
from dataflow.operations.alerting.evaluate import GAP, Active, Evaluation
from dataflow.operations.alerting.rules import filled, load_rules
from dataflow.operations.alerting.watch import labels_of
from dataflow.operations.context import Context
from dataflow.operations.exporter.metrics import Reading

ALERTMANAGER = "alertmanager"
EXPORTER = "exporter"
ACKNOWLEDGED = "acknowledged: "
"""How the comment of a silence begins that is an acknowledgement."""
_FRESH = 45.0  # seconds for which the exporter's last evaluation is good
_QUICK = {"runs", "assets", "backups", "machine"}  # the sources that rules need and that a moment tells of
_OURS = {"alertname", "severity", "instance"}
_SEVERITIES = {"critical": 0, "warning": 1}

State = Literal["firing", "acknowledged", "silenced", "pending"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong. `pending`: it has not lasted long enough to fire.

    `action` is a command that helps. `by`, `comment` and `until` are the acknowledgement's or silence's.
    """

    id: str
    name: str
    severity: str
    state: State
    summary: str
    action: str
    since: datetime
    labels: dict[str, str]
    by: str = ""
    comment: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertList:
    """Every alert, what needs somebody first. `evaluated`: when the rules were last evaluated, None if unknown.

    `note`: what could not be known, and why.
    """

    alerts: tuple[Alert, ...]
    source: Literal["alertmanager", "native"]
    evaluated: datetime | None = None
    note: str = ""

    @property
    def open(self) -> tuple[Alert, ...]:
        """Those that fire and that nobody has acknowledged or silenced."""
        return tuple(alert for alert in self.alerts if alert.state == "firing")


def list_alerts(context: Context) -> AlertList:
    """What is wrong now, by the rules. Opens no browser and needs none.

    Raises:
        MissingError: SERVICE_DOWN; on the docker engine Alertmanager does not run.
        BackendError: BACKEND_DOWN, BACKEND_FAILED.
    """
    if context.choice.name == "docker":
        return _from_containers(keeper_of_containers(context))
    evaluation, note = _evaluation(context)
    return _from_evaluation(Board(context.paths), evaluation, note)


def seen_alerts(context: Context, observed: Observation) -> AlertList | None:
    """The same, as it was last evaluated: quick. None where nobody evaluates the rules now.

    Raises:
        BackendError: BACKEND_DOWN, BACKEND_FAILED.
    """
    docker = context.choice.name == "docker"
    process = observed.processes.get(ALERTMANAGER if docker else EXPORTER)
    if process is None or not process.running:
        return None
    if docker:
        return _from_containers(Alertmanager(context.url(ALERTMANAGER) or ""))
    board = Board(context.paths)
    last = board.last()
    return _from_evaluation(board, last, "") if _is_fresh(last, time.time()) else None


def _from_containers(found: Alertmanager) -> AlertList:
    silences = {one.id: one for one in found.silences()}
    raised = found.alerts()
    alerts = [_from_alertmanager(one.fingerprint, one.labels, one.annotations, one.since) for one in raised]
    covers = [[silences[name] for name in one.silences if name in silences] for one in raised]
    return AlertList(_sorted(_covered(alert, over) for alert, over in zip(alerts, covers, strict=True)), "alertmanager")


def _from_evaluation(board: Board, evaluation: Evaluation, note: str) -> AlertList:
    now = datetime.now(UTC)
    holding = [one for one in board.silences() if one.holds(now)]
    found = [_from_board(one, holding) for one in evaluation.active]
    return AlertList(_sorted(found), "native", datetime.fromtimestamp(evaluation.time, UTC), note)


def _is_fresh(last: Evaluation, now: float) -> bool:
    return 0 <= now - last.time <= _FRESH


def keeper(context: Context) -> Alertmanager | Board:
    """Who keeps the silences. Raises MissingError SERVICE_DOWN."""
    return keeper_of_containers(context) if context.choice.name == "docker" else Board(context.paths)


def keeper_of_containers(context: Context) -> Alertmanager:
    """The running Alertmanager. Raises MissingError SERVICE_DOWN."""
    url = context.url(ALERTMANAGER) if context.runs(ALERTMANAGER) else None
    if url is None:
        actions = (Action("Start it with what it needs", "dataflow up --profile observability"),)
        raise MissingError("Alertmanager does not run.", code="SERVICE_DOWN", actions=actions, retryable=True)
    return Alertmanager(url)


def _evaluation(context: Context) -> tuple[Evaluation, str]:
    """The exporter's last evaluation while it is fresh, else one of our own."""
    board = Board(context.paths)
    last = board.last()
    now = time.time()
    if _is_fresh(last, now) and context.runs(EXPORTER):
        return last, ""
    found = board.look(_readings(context), now)
    if context.runs(EXPORTER) or now - last.time <= GAP:
        return found, ""
    return found, "The exporter does not run: the rules are evaluated only when you ask. `dataflow start exporter`."


def _readings(context: Context) -> list[Reading]:
    """What rules ask for, as the exporter would say it. While the platform is down, no service is missed."""
    from dataflow.operations.exporter.collector import Collector
    from dataflow.operations.exporter.sources import sources

    wanted = _QUICK | ({"services"} if context.engine.observe().alive else set[str]())
    found = sources("native", context.paths, context.engine.environment())
    collector = Collector([source for source in found if source.name in wanted])
    try:
        return collector.readings(patience=5.0)
    finally:
        collector.close()


def _from_alertmanager(
    fingerprint: str, labels: Mapping[str, str], annotations: Mapping[str, str], since: datetime
) -> Alert:
    hidden = _OURS | ({"job"} if labels.get("job") == "dataflow" else set[str]())
    return Alert(
        id=fingerprint[:12],
        name=labels.get("alertname", ""),
        severity=labels.get("severity", "warning"),
        state="firing",
        summary=annotations.get("summary", ""),
        action=annotations.get("action", ""),
        since=since,
        labels={name: value for name, value in sorted(labels.items()) if name not in hidden},
    )


def _from_board(active: Active, silences: Iterable[Silence]) -> Alert:
    rule = next((rule for rule in load_rules() if rule.name == active.rule), None)
    alert = Alert(
        id=active.id,
        name=active.rule,
        severity=rule.severity if rule else "warning",
        state="pending" if active.fired is None else "firing",
        summary=filled(rule.summary, active.labels) if rule else "",
        action=filled(rule.action, active.labels) if rule else "",
        since=datetime.fromtimestamp(active.since, UTC),
        labels=dict(active.labels),
    )
    return _covered(alert, [one for one in silences if one.covers(labels_of(active))])


def _covered(alert: Alert, silences: list[Silence]) -> Alert:
    """The alert as the silences over it make it; an acknowledgement says most."""
    if not silences:
        return alert
    first = min(silences, key=lambda one: not one.comment.startswith(ACKNOWLEDGED))
    state: State = "acknowledged" if first.comment.startswith(ACKNOWLEDGED) else "silenced"
    comment = first.comment.removeprefix(ACKNOWLEDGED)
    return replace(alert, state=state, by=first.by, comment=comment, until=max(one.until for one in silences))


def _sorted(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    states: list[State] = ["firing", "pending", "acknowledged", "silenced"]
    return tuple(
        sorted(alerts, key=lambda one: (states.index(one.state), _SEVERITIES.get(one.severity, 2), one.since, one.id))
    )
