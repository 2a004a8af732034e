"""Every registered action is done by its key, and what a person then sees is what it promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dataflow_tui.commands.registry import ALL
from dataflow_tui.demo.platform import DemoPlatform
from tests.tui.driving import Seat, drive

DONE: dict[str, Callable[[], None]] = {}
"""Which actions a test of this file does."""


def does(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def mark(test: Callable[..., None]) -> Callable[..., None]:
        DONE.update(dict.fromkeys(names, test))
        return test

    return mark


def test_every_action_is_done_here() -> None:
    assert set(DONE) == {command.id for command in ALL}


@does("go.overview", "go.services", "go.logs", "go.workflows", "go.data", "go.alerts")
def test_a_number_shows_a_view() -> None:
    async def act(seat: Seat) -> None:
        for key, words in (
            ("2", "CPU %"), ("3", "● following"), ("4", "Runs of nightscout"), ("5", "marts.revenue"),
            ("6", "ServiceDown"), ("1", "What is wrong"),
        ):  # fmt: skip
            await seat.press(key)
            await seat.sees(words)

    drive(act)


@does("help", "palette", "twin", "theme", "back", "messages", "refresh")
def test_what_works_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def act(seat: Seat) -> None:
        monkeypatch.setattr(seat.app, "copy_to_clipboard", copied.append)
        await seat.press("m")
        await seat.sees("Nothing was done yet.")
        await seat.press("question_mark")
        await seat.sees("Help", "In overview", "Show the root cause")
        await seat.type("restart")
        await seat.misses("In overview")
        await seat.press("escape")
        await seat.misses("type to search")
        await seat.press("colon")
        await seat.until(lambda: type(seat.app.screen).__name__ == "CommandPalette")
        await seat.press("escape")
        await seat.until(lambda: type(seat.app.screen).__name__ != "CommandPalette")
        await seat.press("y")
        await seat.sees("The same on the command line", "dataflow why")
        await seat.press("y")
        await seat.until(lambda: copied)
        assert copied[0].startswith("dataflow ")
        before = seat.app.theme
        await seat.press("T")
        await seat.until(lambda: seat.app.theme != before)
        await seat.press("R")
        await seat.sees("Asking every source")

    drive(act)


@does("up", "down", "why", "quit")
def test_the_platform_goes_down_and_up_while_one_looks() -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("degraded")
        await seat.press("w")
        await seat.sees("was killed", "its last words", "dataflow start loki")
        await seat.press("escape")
        await seat.press("D")
        await seat.sees("Take the whole platform down?", "$ dataflow down")
        await seat.press("enter")  # the harmless answer
        await seat.misses("Take the whole platform down?")
        assert seat.app.work is None
        await seat.press("D", "y")
        await seat.sees("○ down", "0 of 11 services")
        await seat.press("U")
        await seat.sees("● up", "11 of 11 services")
        await seat.press("m")
        await seat.sees("loki  healthy", "Everything runs.")
        await seat.press("escape", "q")
        await seat.until(lambda: seat.app._exit)

    drive(act)


@does("overview.visit")
def test_enter_on_a_problem_shows_its_evidence() -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("service loki")
        await seat.press("j", "enter")
        await seat.sees("source-down", "HTTP 503", "suffers: workflow orders", "--from-failure")

    drive(act)


@does(*(command.id for command in ALL if command.view == "services"))
def test_a_service_is_stopped_started_and_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    async def act(seat: Seat) -> None:
        monkeypatch.setattr(seat.app, "open_url", opened.append)
        await seat.press("2")
        await seat.sees("object-store", "seaweedfs")
        await seat.press("o")
        await seat.until(lambda: opened == ["http://127.0.0.1:8333"])
        await seat.press("enter")
        await seat.sees("% of one", "y copies")
        await seat.press("escape")
        await seat.press("s")
        await seat.sees("object-store runs already.")
        await seat.press("S")
        await seat.sees("Stop object-store?", "$ dataflow stop object-store")
        await seat.press("y")
        await seat.sees("○ stopped")
        await seat.until(lambda: seat.app.chosen.service is not None and seat.app.chosen.service.state == "stopped")
        await seat.press("r")
        await seat.sees("object-store does not run.")
        await seat.press("s")
        await seat.until(lambda: seat.app.chosen.service is not None and seat.app.chosen.service.state == "running")
        await seat.press("r")
        await seat.sees("restart object-store")
        await seat.press("l")
        await seat.sees("asked: object-store")
        await seat.until(lambda: len(seat.app.view_of("logs").buffer) > 0)
        assert "exporter" not in seat.screen

    drive(act)


@does(*(command.id for command in ALL if command.view == "logs"))
def test_logs_are_searched_filtered_copied_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.chdir(tmp_path)

    async def act(seat: Seat) -> None:
        monkeypatch.setattr(seat.app, "copy_to_clipboard", copied.append)
        await seat.press("3")
        await seat.sees("● following")
        await seat.until(lambda: len(seat.app.view_of("logs").buffer) > 300)
        await seat.press("n")
        await seat.sees("Search for something first")
        await seat.press("slash")
        await seat.type("503")
        await seat.press("enter")
        await seat.sees("/503: 1 of 1", "‖ here", "HTTP 503")
        await seat.press("N")
        await seat.sees("/503: 1 of 1")
        await seat.press("Y")
        await seat.until(lambda: copied)
        assert "after 3 attempts" in copied[0]
        await seat.press("enter")
        await seat.sees("attempt  3", "raw__orders", "level")
        await seat.press("escape")
        await seat.press("f")
        await seat.sees("● following")
        await seat.press("ampersand")
        await seat.type("alloy --level error")
        await seat.press("enter")
        await seat.sees("asked: alloy --level error", "final error sending")
        assert "retry" not in seat.screen
        await seat.press("c")
        await seat.sees("asked: everything")
        await seat.press("v", "v")
        await seat.sees("asked: --level warning")
        await seat.press("c", "s")
        await seat.sees("asked: object-store")
        await seat.until(lambda: len(seat.app.view_of("logs").buffer) > 5)
        await seat.press("E")
        await seat.until(lambda: (tmp_path / "logs.txt").exists())

    drive(act)
    assert "object-store" in (tmp_path / "logs.txt").read_text()


@does(*(command.id for command in ALL if command.view == "workflows"))
def test_a_workflow_is_run_watched_cancelled_and_retried() -> None:
    platform = DemoPlatform(pace=0, rate=20, stretch=1000)

    async def act(seat: Seat) -> None:
        await seat.press("4")
        await seat.sees("nightscout", "marts__nightscout_daily", "15 6 * * * on")
        await seat.press("d")
        await seat.sees("data@acme.example", "full_refresh (boolean")
        await seat.press("escape")
        await seat.press("v")
        await seat.sees("secret-unset", "config.yaml:7:5", "Set it in .env")
        await seat.press("escape")
        await seat.press("S")
        await seat.sees("15 6 * * * off")
        await seat.press("x")
        await seat.sees("Run nightscout", "days (integer)")
        await seat.press("end", "backspace", "backspace", "0", "enter")
        await seat.sees("days must be at least 1.")
        await seat.press("backspace", "7", "ctrl+r")
        await seat.until(lambda: len(platform.stage.played) == 13, "a new run")
        new = platform.stage.played[0]
        await seat.until(lambda: seat.app.chosen.run is not None and seat.app.chosen.run.id == new.id)
        await seat.sees("● running", "━")
        await seat.press("t")
        await seat.sees("has not ended")
        await seat.press("c")
        await seat.sees(f"Cancel the run {new.id[:8]}")
        await seat.press("y")
        await seat.sees("⊘ canceled")
        await seat.until(lambda: seat.app.chosen.run is not None and seat.app.chosen.run.state == "canceled")
        await seat.press("enter")
        await seat.sees(f"Log of {new.id[:8]}")
        await seat.press("escape")
        await seat.press("t")
        await seat.until(lambda: len(platform.stage.played) == 14, "a retry")
        await seat.press("j")
        await seat.sees("Runs of orders")
        await seat.until(lambda: seat.app.chosen.run is not None and seat.app.chosen.run.state == "failure")
        await seat.sees("HTTP 503")
        await seat.press("f")
        await seat.until(lambda: len(platform.stage.played) == 15, "a retry of what failed")
        await seat.press("l")
        await seat.sees("asked: --run ")

    drive(act, platform)


@does(*(command.id for command in ALL if command.view == "data"))
def test_tables_are_previewed_profiled_queried_and_exported() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("5")
        await seat.sees("marts.revenue", "4,200")
        await seat.press("enter")
        await seat.sees("180 rows in", "spent double")
        await seat.press("p")
        await seat.sees("column_name varchar", "5 rows")
        await seat.press("x")
        await seat.sees("Write a query first")
        await seat.press("c")
        await seat.sees("No query runs.")
        await seat.press("e")
        await seat.until(lambda: seat.app.query_one("#sql").has_focus)
        await seat.sees("ctrl+r Run SQL", "Esc Leave the editor")
        await seat.type("select count(*) as many from raw.orders")
        await seat.press("ctrl+r")
        await seat.sees("many bigint", "4,200", "1 row in")
        await seat.press("escape")
        await seat.press("x")
        await seat.sees("1 row in")
        await seat.press("E")
        await seat.sees("Export query", "file (string)")
        await seat.press("ctrl+r")
        await seat.sees("export query.csv", "✓ done")

    drive(act)


@does(*(command.id for command in ALL if command.view == "alerts"))
def test_alerts_are_acknowledged_and_silenced() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("6")
        await seat.sees("ServiceDown", "not_negative", "restart grafana")
        await seat.press("enter")
        await seat.sees("loki has been down", "dataflow why loki")
        await seat.press("escape")
        await seat.press("a")
        await seat.sees("Acknowledge ServiceDown for 4 h")
        await seat.type("on it")
        await seat.press("enter")
        await seat.sees("✓ acknowledged", "alerts ack a07")
        await seat.press("a")
        await seat.sees("ServiceDown is acknowledged already.")
        await seat.press("j", "s")
        await seat.sees("Silence JobFailed", "How long")
        await seat.press("ctrl+r")
        await seat.sees("∅ silenced")

    drive(act)
