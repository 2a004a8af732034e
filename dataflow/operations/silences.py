"""Silences and acknowledgements: for a bounded time, with a name and a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataflow.clients.alertmanager import Matcher, Silence
from dataflow.errors import Action, UsageError
from dataflow.operations.alerting.rules import load_rules
from dataflow.operations.alerts import ACKNOWLEDGED, Alert, keeper, list_alerts
from dataflow.operations.audit import actor, audited
from dataflow.operations.context import Context
from dataflow.operations.moments import span

LONGEST = timedelta(days=30)
_MATCHER = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<sign>=~|!~|!=|=)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SilenceInfo:
    """A silence. `matchers` as they are typed: alertname=JobFailed, service=~loki|alloy."""

    id: str
    matchers: tuple[str, ...]
    since: datetime
    until: datetime
    by: str
    comment: str


@dataclass(frozen=True, slots=True)
class SilenceList:
    """Silences: those that hold, or those that a command made."""

    silences: tuple[SilenceInfo, ...]


def acknowledge(context: Context, names: Sequence[str], *, length: str, comment: str = "") -> SilenceList:
    """Say that somebody looks after alerts: they tell nobody for a time. `names`: of alerts, or beginnings of ids.

    Raises:
        UsageError: ALERT_UNKNOWN, TIME_INVALID, SILENCE_INVALID.
        MissingError: SERVICE_DOWN.
    """
    until = _end(length)
    alerts = list_alerts(context).alerts
    wanted = [alert for name in names for alert in _named(alerts, name)]
    made: list[SilenceInfo] = []
    with audited(context, "alerts ack", ", ".join(names)):
        for alert in dict.fromkeys(one.id for one in wanted):
            one = next(item for item in wanted if item.id == alert)
            exact = {"alertname": one.name, **one.labels}
            matchers = tuple(Matcher(label, value) for label, value in exact.items())
            made.append(_add(context, matchers, until, f"{ACKNOWLEDGED}{comment}".strip()))
    return SilenceList(tuple(made))


def silence(context: Context, matchers: Sequence[str], *, length: str, comment: str = "") -> SilenceList:
    """Silence alerts that match everything in `matchers`, also those that are still to come.

    Raises:
        UsageError: MATCHER_INVALID, TIME_INVALID, SILENCE_INVALID.
        MissingError: SERVICE_DOWN.
    """
    until = _end(length)
    parsed = tuple(_matcher(text) for text in matchers)
    if not any(one.equal and one.value and not (one.regex and re.fullmatch(one.value, "")) for one in parsed):
        message = "This would silence every alert."
        raise UsageError(message, code="MATCHER_INVALID", hint="Name an alert, or a label with a value.")
    with audited(context, "alerts silence", " ".join(matchers)):
        return SilenceList((_add(context, parsed, until, comment or "silenced"),))


def list_silences(context: Context) -> SilenceList:
    """The silences that have not ended, the first to end first. Raises MissingError SERVICE_DOWN."""
    found = sorted(keeper(context).silences(), key=lambda one: one.until)
    return SilenceList(tuple(map(_info, found)))


def expire(context: Context, name: str) -> SilenceList:
    """End the silence whose id begins so. Raises UsageError SILENCE_UNKNOWN, MissingError SERVICE_DOWN."""
    found = [one for one in keeper(context).silences() if one.id.startswith(name)]
    if len(found) != 1:
        message = f"{len(found)} silences begin with '{name}'." if found else f"There is no silence '{name}'."
        actions = (Action("See the silences", "dataflow alerts silence --list"),)
        raise UsageError(message, code="SILENCE_UNKNOWN", actions=actions)
    with audited(context, "alerts silence --expire", found[0].id):
        keeper(context).expire(found[0].id)
    return SilenceList((_info(found[0]),))


def _named(alerts: Sequence[Alert], name: str) -> list[Alert]:
    found = [alert for alert in alerts if alert.name == name] or [a for a in alerts if a.id.startswith(name)]
    if found:
        return found
    known = dict.fromkeys(alert.name for alert in alerts)
    hint = f"There are: {', '.join(known)}." if known else "No alert is there."
    actions = (Action("See the alerts", "dataflow alerts list"),)
    raise UsageError(f"No alert is called '{name}'.", code="ALERT_UNKNOWN", hint=hint, actions=actions)


def _matcher(text: str) -> Matcher:
    """`label=value`, `!=`, `=~`, `!~`; or the bare name of a rule."""
    if text in {rule.name for rule in load_rules()}:
        return Matcher("alertname", text)
    found = _MATCHER.fullmatch(text)
    if not found:
        hint = "Use the name of a rule, or LABEL=VALUE, LABEL!=VALUE, LABEL=~REGEX, LABEL!~REGEX."
        raise UsageError(f"'{text}' is no matcher.", code="MATCHER_INVALID", hint=hint)
    made = Matcher(found["name"], found["value"], regex="~" in found["sign"], equal=found["sign"][0] == "=")
    try:
        re.compile(made.value if made.regex else "")
    except re.error as error:
        message = f"'{made.value}' is no regular expression: {error}."
        raise UsageError(message, code="MATCHER_INVALID") from error
    return made


def _end(length: str) -> datetime:
    found = span(length)
    if found is None or not timedelta(0) < found <= LONGEST:
        hint = "Use 30m, 4h or 2d; 30 days at most."
        raise UsageError(f"'{length}' is no length of time for this.", code="TIME_INVALID", hint=hint)
    return datetime.now(UTC) + found


def _add(context: Context, matchers: tuple[Matcher, ...], until: datetime, comment: str) -> SilenceInfo:
    made = Silence("", matchers, datetime.now(UTC), until, actor(), comment)
    name = keeper(context).silence(made)
    return SilenceInfo(name, tuple(map(str, matchers)), made.since, until, made.by, comment)


def _info(silence: Silence) -> SilenceInfo:
    matchers = tuple(map(str, silence.matchers))
    return SilenceInfo(silence.id, matchers, silence.since, silence.until, silence.by, silence.comment)
