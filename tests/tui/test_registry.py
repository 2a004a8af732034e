"""One registry: each action is reached by key, palette, click and help, and its twin is a command that there is."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections import Counter
from dataclasses import replace

import pytest
from textual.widgets import Input

from dataflow_tui.commands.model import Command
from dataflow_tui.commands.registry import ALL, EVERYWHERE, here, of_key, shown_key
from dataflow_tui.demo.platform import DemoPlatform
from dataflow_tui.palette import Actions
from dataflow_tui.screens.help import help_text
from dataflow_tui.selection import LogAsk, Selection
from dataflow_tui.themes import DARK, look_of
from dataflow_tui.twins import twin_of, twins_of
from tests.contract.conftest import parse
from tests.tui.driving import Seat, drive

PLATFORM = DemoPlatform(pace=0)
RUN = PLATFORM.runs().runs[0]
SERVICE = PLATFORM.parts.all()[0]
EVERYTHING = Selection(
    service=SERVICE,
    workflow=PLATFORM.workflows().workflows[0],
    run=RUN,
    step="raw__orders",
    schedule=PLATFORM.schedules().schedules[0],
    table="marts.revenue",
    sql="select 'it''s' as text",
    querying=True,
    alert=PLATFORM.alerts().alerts[0],
    line="a line",
    logs=LogAsk(("loki",), "warn", grep="time out|late", exclude="x", since="1h", run="4f"),
    search="late",
)
SELECTIONS = [Selection(), EVERYTHING, replace(EVERYTHING, step=None, sql=None, search=None, logs=LogAsk())]


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.id)
def test_the_twin_is_a_command_that_there_is(command: Command) -> None:
    for chosen in SELECTIONS:
        twin = twin_of(command, chosen)
        words = shlex.split(twin)
        if words:
            assert words[0] == "dataflow"
            parse(words[1:])
    assert twin_of(command, EVERYTHING)


@pytest.mark.parametrize("view", ["overview", "services", "logs", "workflows", "data", "alerts"])
def test_a_key_means_one_thing_in_a_view(view: str) -> None:
    keys = Counter(command.key for command in (*here(view), *EVERYWHERE))
    assert {key for key, times in keys.items() if times > 1} == set()


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.id)
def test_the_help_names_it_with_its_key(command: Command) -> None:
    view = command.view or "overview"
    assert of_key(command.key, view) is command
    page = help_text(view, EVERYTHING, look_of(DARK), read_only=False).plain
    assert re.search(rf"^  {re.escape(shown_key(command.key))} +{re.escape(command.label)}", page, re.MULTILINE)
    assert command.help in page


def test_the_help_says_why_something_cannot_be_done() -> None:
    look = look_of(DARK)
    assert "not now: Choose a service first." in help_text("services", Selection(), look, read_only=False).plain
    assert "not now: The dashboard is read-only." in help_text("services", EVERYTHING, look, read_only=True).plain
    assert "Nothing here" in help_text("logs", Selection(), look, read_only=False, wanted="xyzzy").plain


def test_the_palette_finds_every_action() -> None:
    found: dict[str, list[str]] = {}

    async def act(seat: Seat) -> None:
        await seat.until(seat.app._complete.is_set)
        for command in ALL:
            provider = Actions(seat.app.screen)
            hits = [hit async for hit in provider.search(command.label)]
            found[command.id] = [hit.command.args[0] for hit in hits]
        discovered = [hit async for hit in Actions(seat.app.screen).discover()]
        assert len(discovered) == len(here("overview")) + len(EVERYWHERE)

    drive(act)
    assert [name for name, hits in found.items() if name not in hits] == []


def test_an_action_of_another_view_is_done_from_the_palette() -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("service loki")
        await seat.press("ctrl+p")
        await seat.until(lambda: isinstance(seat.app.focused, Input))
        await seat.type("workflows: validate")
        await seat.sees("Show what is wrong with workflows")
        await asyncio.sleep(0)
        await seat.press("down", "enter")
        await seat.sees("secret-unset")
        assert seat.app.view == "workflows"

    drive(act)


def test_every_key_of_the_last_line_and_every_tab_can_be_clicked() -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("? Help")
        tabs = seat.text("#tabs")
        await seat.pilot.click("#tabs", offset=(tabs.index("Services") + 1, 0))
        await seat.sees("CPU %", "Details")
        await seat.sees("l Logs")
        await seat.pilot.click("#keys", offset=(seat.text("#keys").index("Help") + 1, 0))
        await seat.sees("type to search")
        await seat.press("escape")
        await seat.pilot.click("#head", offset=(seat.text("#head").index("alerts") + 1, 0))
        await seat.sees("not_negative")

    drive(act)


def test_twins_are_those_of_the_view_first_and_none_twice() -> None:
    found = [twin for _, twin in twins_of("services", EVERYTHING)]
    assert found[0] == "dataflow status"
    assert f"dataflow restart {SERVICE.name}" in found
    assert len(found) == len(set(found))


def test_read_only_changes_nothing() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("2")
        await seat.sees("object-store", "READ-ONLY")
        for key in ("S", "r", "D", "U"):
            await seat.press(key)
            await seat.sees("The dashboard is read-only.")
        assert seat.app.work is None
        assert "Restart" not in seat.text("#keys")

    drive(act, read_only=True)
