"""What can be done with a service."""

from __future__ import annotations

from collections.abc import Callable

from dataflow.events import Report
from dataflow.models import ServiceStatus
from dataflow_tui.commands.model import Command, Desk
from dataflow_tui.prose import service_text
from dataflow_tui.selection import LogAsk, Selection
from dataflow_tui.work import Work

_RUNS = {"running", "starting", "restarting", "crash-loop", "paused"}


def _service(chosen: Selection) -> ServiceStatus:
    if chosen.service is None:
        raise AssertionError("an action on a service without one")
    return chosen.service


def _begin(desk: Desk, verb: str, call: Callable[[str, Report], object]) -> None:
    name = _service(desk.chosen).name
    desk.begin(Work(f"{verb} {name}", lambda report: call(name, report), lambda _: desk.wake("status")))


def _start(desk: Desk) -> None:
    _begin(desk, "start", desk.platform.start)


def _stop(desk: Desk) -> None:
    _begin(desk, "stop", desk.platform.stop)


def _restart(desk: Desk) -> None:
    _begin(desk, "restart", desk.platform.restart)


def _not_startable(chosen: Selection) -> str:
    service = _service(chosen)
    if service.state == "unavailable":
        return f"{service.name} cannot run here: {service.detail}"
    return f"{service.name} runs already." if service.state in _RUNS else ""


def _not_running(chosen: Selection) -> str:
    service = _service(chosen)
    return "" if service.state in _RUNS else f"{service.name} does not run."


def _pageless(chosen: Selection) -> str:
    service = _service(chosen)
    return _not_running(chosen) if service.url else f"{service.name} has no page."


def _open(desk: Desk) -> None:
    name = _service(desk.chosen).name
    desk.begin(Work(f"open {name}", lambda _: desk.platform.page(name), desk.browse, quiet=True))


def _logs(desk: Desk) -> None:
    name = _service(desk.chosen).name
    desk.go("logs").ask(LogAsk((name,)))


def _details(desk: Desk) -> None:
    service = _service(desk.chosen)
    desk.read(service.label, service_text(service, desk.look))


def _shell(desk: Desk) -> None:
    name = _service(desk.chosen).name
    desk.lend(lambda: desk.platform.shell(name))


def _twin(verb: str) -> Callable[[Selection], str]:
    return lambda chosen: f"dataflow {verb} {_service(chosen).name}"


COMMANDS: tuple[Command, ...] = (
    Command(
        "service.details",
        "enter",
        "Details",
        "Show everything that is known of the service.",
        _details,
        lambda _: "dataflow status",
        view="services",
        needs="service",
    ),
    Command(
        "service.start",
        "s",
        "Start",
        "Start the service and what it depends on.",
        _start,
        _twin("start"),
        view="services",
        needs="service",
        unless=_not_startable,
        changes=True,
    ),
    Command(
        "service.stop",
        "S",
        "Stop",
        "Stop the service; the others go on.",
        _stop,
        _twin("stop"),
        view="services",
        needs="service",
        unless=_not_running,
        changes=True,
        asks=lambda chosen: f"Stop {_service(chosen).name}? What depends on it will not work meanwhile.",
    ),
    Command(
        "service.restart",
        "r",
        "Restart",
        "Restart the service and wait until it is healthy.",
        _restart,
        _twin("restart"),
        view="services",
        needs="service",
        unless=_not_running,
        changes=True,
    ),
    Command(
        "service.logs",
        "l",
        "Logs",
        "Show the logs of the service.",
        _logs,
        lambda chosen: f"dataflow logs {_service(chosen).name} --follow",
        view="services",
        needs="service",
    ),
    Command(
        "service.shell",
        "x",
        "Shell",
        "Open a shell where the service runs; exit comes back.",
        _shell,
        lambda chosen: f"dataflow exec --service {_service(chosen).name} -- sh",
        view="services",
        needs="service",
        unless=_not_running,
        changes=True,
        footer=False,
    ),
    Command(
        "service.open",
        "o",
        "Open",
        "Open the service's page in the browser.",
        _open,
        _twin("open"),
        view="services",
        needs="service",
        unless=_pageless,
    ),
)
