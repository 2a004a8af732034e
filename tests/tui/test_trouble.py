"""Sources that are down, hang, lie or say hostile things: one panel tells of it, everything else goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dataflow.errors import Action, BackendError, WarehouseError
from dataflow.events import Noted, StepChanged
from dataflow.models import LogLine, ServiceStatus
from dataflow.operations.data import QueryResult
from dataflow_tui.demo.platform import DemoPlatform
from tests.tui.driving import Faulty, Seat, drive

LOCKED = WarehouseError(
    "The warehouse is locked by dbt (pid 4711).",
    code="WAREHOUSE_LOCKED",
    hint="It is free once that ends.",
    actions=(Action("See what runs", "dataflow workflow runs"),),
)
HOSTILE = (
    "[/foo] [bold red]not red[/] [@click=app.quit]x[/] \x1b[31mred\x1b[0m \x1b]0;title\x07 \x00 \x9b2J \u202eevil "
    "日本語 e\u0301 🙂 \ud800 $error [] [[ \\["
)


def test_a_locked_warehouse_changes_one_panel_and_heals() -> None:
    platform = Faulty()
    platform.errors["tables"] = LOCKED

    async def act(seat: Seat) -> None:
        await seat.press("5")
        await seat.sees(
            "locked by dbt (pid 4711)", "It is free once that ends.", "→ dataflow workflow runs", "R asks now"
        )
        await seat.press("2")
        await seat.sees("object-store", "● running")
        del platform.errors["tables"]
        await seat.press("5")
        await seat.press("R")
        await seat.sees("marts.revenue")
        assert "locked" not in seat.screen
        platform.errors["tables"] = LOCKED
        await seat.press("R")
        await seat.sees("marts.revenue", "as of", "is locked by")

    drive(act, platform)


def test_a_source_that_hangs_never_blocks_a_key() -> None:
    platform = Faulty()
    held = [platform.hold(name) for name in ("why", "runs", "tables", "alerts", "checks", "workflows")]

    async def act(seat: Seat) -> None:
        await seat.sees("degraded", "Loading")
        for key, words in (("5", "Tables"), ("6", "restart grafana"), ("4", "Workflows"), ("2", "object-store")):
            await seat.press(key)
            await seat.sees(words)
        for event in held:
            event.set()
        await seat.press("4")
        await seat.sees("nightscout")

    drive(act, platform)
    for event in held:
        event.set()


def test_with_everything_down_it_says_so_and_can_be_left() -> None:
    platform = Faulty()
    names = ("status", "why", "runs", "tables", "alerts", "checks", "audit", "workflows", "schedules", "follow_logs")
    platform.errors = dict.fromkeys(names, BackendError("The Docker Engine does not answer.", hint="Start it."))

    async def act(seat: Seat) -> None:
        for key in "123456":
            await seat.press(key)
            await seat.sees("The Docker Engine does not answer.", "Start it.")
        await seat.sees("✗ no status")
        platform.errors.clear()
        await seat.press("3")
        await seat.sees("● following")
        await seat.until(lambda: len(seat.app.view_of("logs").buffer) > 100, "logs that came back by themselves")
        await seat.press("q")
        await seat.until(lambda: seat.app._exit)

    drive(act, platform)


def test_a_slow_query_is_cancelled_by_escape() -> None:
    platform = Faulty()
    held = platform.hold("preview")

    async def act(seat: Seat) -> None:
        await seat.press("5")
        await seat.sees("marts.revenue")
        await seat.press("enter")
        await seat.sees("Asking for marts.customers")
        await seat.press("escape")
        await seat.sees("⊘ Cancelled.")
        held.set()
        await seat.press("p")
        await seat.sees("column_name", "5 rows")

    drive(act, platform)


def test_a_query_that_is_wrong_says_what_is_wrong() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("5", "e")
        await seat.type("select nothing from nowhere")
        await seat.press("ctrl+r")
        await seat.sees("nowhere", "WAREHOUSE")
        assert seat.app.query_one("#sql").has_focus

    drive(act)


def test_work_that_fails_says_why_until_it_is_put_away() -> None:
    platform = Faulty()
    platform.errors["restart"] = BackendError(
        "Port [/8333] is taken.", actions=(Action("", "dataflow why object-store"),)
    )

    async def act(seat: Seat) -> None:
        await seat.press("2")
        await seat.sees("object-store")
        await seat.press("r")
        await seat.sees("✗ failed", "Port [/8333] is taken.", "→ dataflow why object-store")
        await seat.press("escape")
        await seat.misses("is taken.")

    drive(act, platform)


def hostile(platform: DemoPlatform) -> Faulty:
    """A platform whose every word is hostile."""
    faulty = Faulty(platform)
    status = platform.status()
    services = tuple(_spoiled(one) for one in status.services)
    note = replace(status, project=HOSTILE, note=HOSTILE, services=services)
    faulty.answers["status"] = replace(note, alerts=replace(status.alerts, open=tuple(map(_alert, status.alerts.open))))
    why = platform.why()
    problem = why.problems[0]
    subject = replace(problem.subject, name=HOSTILE)
    evidence = tuple(replace(fact, text=HOSTILE, label=HOSTILE) for fact in problem.evidence)
    bad = replace(problem, subject=subject, summary=HOSTILE, evidence=evidence, actions=(Action(HOSTILE, HOSTILE),))
    faulty.answers["why"] = replace(why, problems=(bad,), notes=(HOSTILE,))
    flows = platform.workflows()
    named = replace(flows.workflows[0], name=HOSTILE, description=HOSTILE, parameters=())
    finding = platform.validate().findings[0]
    faulty.answers["workflows"] = replace(flows, workflows=(named,), findings=(replace(finding, message=HOSTILE),))
    faulty.answers["runs"] = replace(platform.runs(), runs=(replace(platform.runs().runs[0], workflow=HOSTILE),))
    detail = platform.run(platform.runs().runs[0].id)
    step = replace(detail.progress.steps[0], name=HOSTILE, error=HOSTILE, state="failure")
    faulty.answers["run"] = replace(detail, progress=replace(detail.progress, steps=(step,)))
    line = LogLine(datetime.now(UTC), "error", HOSTILE + "\n" + "x" * 90_000, HOSTILE, context={HOSTILE: HOSTILE})
    faulty.answers["follow_logs"] = [line] * 50
    faulty.answers["run_log"] = (line,)
    tables = platform.tables()
    table = replace(tables.tables[0], table=replace(tables.tables[0].table, name=HOSTILE))
    faulty.answers["tables"] = replace(tables, tables=(table,))
    row = (HOSTILE, "y" * 10_000_000, None, b"\xff\x00", {"a": HOSTILE})
    names = tuple(f"{HOSTILE}{number}" for number in range(5))
    faulty.answers["preview"] = QueryResult(names, names, (row,) * 3, True, "live", None, False, 0.1)
    alerts = platform.alerts()
    faulty.answers["alerts"] = replace(alerts, alerts=tuple(map(_alert, alerts.alerts)), note=HOSTILE)
    faulty.answers["checks"] = replace(
        platform.checks(),
        checks=tuple(replace(one, name=HOSTILE, asset=HOSTILE) for one in platform.checks().checks[:1]),
    )
    trail = platform.audit()
    faulty.answers["audit"] = replace(
        trail, lines=(replace(trail.lines[0], detail=HOSTILE, actor=HOSTILE, outcome=HOSTILE),)
    )
    return faulty


def _spoiled(service: ServiceStatus) -> ServiceStatus:
    return replace(service, label=HOSTILE, detail=HOSTILE, name=service.name + HOSTILE, image=HOSTILE)


def _alert(alert: Any) -> Any:
    return replace(alert, name=HOSTILE, summary=HOSTILE, labels={HOSTILE: HOSTILE}, action=HOSTILE, comment=HOSTILE)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_hostile_text_is_shown_as_it_is(size: tuple[int, int]) -> None:
    platform = hostile(DemoPlatform(pace=0, rate=20))
    platform.errors["restart"] = BackendError(HOSTILE, hint=HOSTILE)

    async def act(seat: Seat) -> None:
        await seat.sees("[/foo] [bold red]not red")
        for key, opened in (("1", "enter"), ("2", "enter"), ("3", "enter"), ("4", "d"), ("5", "enter"), ("6", "enter")):
            await seat.press(key)
            await seat.sees("[/foo] [bold red]")
            await seat.press(opened)
            await seat.sees("[/foo] [bold red]not red[/]")
            await seat.press("escape")
        await seat.press("4", "enter")
        await seat.sees("[/foo]")
        await seat.press("escape", "2", "y")
        await seat.sees("The same on the command line")
        await seat.press("escape", "w")
        await seat.sees("[/foo]")
        await seat.press("escape", "r")
        await seat.sees("✗ failed")
        for key in ("question_mark", "colon"):
            await seat.press(key)
            await seat.pilot.pause(0.1)
            await seat.press("escape")
        assert "\x1b" not in seat.screen
        assert "evil" in seat.app.view_of("logs").buffer[0]

    drive(act, platform, size=size)


def test_work_tells_hostile_things() -> None:
    platform = Faulty()

    def restart(service: str, report: Any) -> None:
        report(StepChanged(HOSTILE, "started", HOSTILE))
        report(StepChanged(HOSTILE, "failed", HOSTILE))
        report(Noted(HOSTILE, warning=True))

    platform.restart = restart  # pyright: ignore[reportAttributeAccessIssue]

    async def act(seat: Seat) -> None:
        await seat.press("2")
        await seat.sees("object-store")
        await seat.press("r")
        await seat.sees("✗ [/foo] [bold red]not red[/]", "✓ done")

    drive(act, platform)
