"""What can be done with alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow_tui.commands.model import Command, Desk
from dataflow_tui.prose import alert_text
from dataflow_tui.screens.form import Field
from dataflow_tui.selection import Selection
from dataflow_tui.work import Work

if TYPE_CHECKING:
    from dataflow.operations.alerts import Alert

_LENGTH = "2h"


def _alert(chosen: Selection) -> Alert:
    if chosen.alert is None:
        raise AssertionError("an action on an alert without one")
    return chosen.alert


def _details(desk: Desk) -> None:
    alert = _alert(desk.chosen)
    desk.read(alert.name, alert_text(alert, desk.look))


def _acknowledge(desk: Desk) -> None:
    alert = _alert(desk.chosen)

    def begin(values: tuple[str, ...]) -> None:
        comment = _values(values).get("comment", "")
        work = Work(f"acknowledge {alert.name}", lambda _: desk.platform.acknowledge(alert.id, comment))
        work.then = lambda _: desk.wake("alerts", "status")
        desk.begin(work)

    desk.fill(f"Acknowledge {alert.name} for 4 h", [Field("comment", "string", "", "Why; others see it")], None, begin)


def _silence(desk: Desk) -> None:
    alert = _alert(desk.chosen)

    def begin(values: tuple[str, ...]) -> None:
        given = _values(values)
        length, comment = given.get("for", _LENGTH), given.get("comment", "")
        work = Work(f"silence {alert.name}", lambda _: desk.platform.silence(alert.name, length, comment))
        work.then = lambda _: desk.wake("alerts", "status")
        desk.begin(work)

    fields = [Field("for", "string", _LENGTH, "How long: 30m, 4h, 2d"), Field("comment", "string", "", "Why")]
    desk.fill(f"Silence {alert.name}", fields, None, begin)


def _values(values: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in values)}


def _handled(chosen: Selection) -> str:
    alert = _alert(chosen)
    return "" if alert.state in {"firing", "pending"} else f"{alert.name} is {alert.state} already."


COMMANDS: tuple[Command, ...] = (
    Command(
        "alert.details",
        "enter",
        "Details",
        "Show everything about the alert, and what helps.",
        _details,
        lambda _: "dataflow alerts list",
        view="alerts",
        needs="alert",
    ),
    Command(
        "alert.acknowledge",
        "a",
        "Acknowledge",
        "Say that you look after it: for four hours nobody is told again.",
        _acknowledge,
        lambda chosen: f"dataflow alerts ack {_alert(chosen).name}",
        view="alerts",
        needs="alert",
        unless=_handled,
        changes=True,
    ),
    Command(
        "alert.silence",
        "s",
        "Silence",
        "Tell nobody of alerts of this rule for a time, also of new ones.",
        _silence,
        lambda chosen: f"dataflow alerts silence {_alert(chosen).name} --for {_LENGTH}",
        view="alerts",
        needs="alert",
        unless=_handled,
        changes=True,
    ),
)
