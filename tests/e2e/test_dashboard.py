"""The dashboard in a real terminal, over a real platform: what a person does on a day."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Project
from tests.e2e.conftest import mine, nothing_left
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Project]:
    """A project with the example, not up."""
    assert Project(tmp_path).call("init", "day").code == 0
    project = Project(tmp_path / "day")
    yield project
    project.call("down")
    for pid in mine(project):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def start(project: Project, *words: str) -> Terminal:
        opened.append(Terminal([*COMMAND, "tui", *words], cwd=project.root, env=project.env()))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.kill()


def test_a_day_in_the_dashboard(fresh: Project, open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal(fresh)
    terminal.sees("What is wrong", "○ down")
    _bring_up(terminal)
    _run(terminal)
    _read_rows(terminal)
    _search_logs(terminal)
    _restart(terminal)
    _lose_dagster(terminal, fresh)
    terminal.press("q")
    assert terminal.ended() == 0
    assert fresh.call("down").code == 0
    assert nothing_left(fresh)


def _bring_up(terminal: Terminal) -> None:
    terminal.press("U")
    terminal.sees("up", "started", timeout=30)
    terminal.sees("● up", "4 of 4 services", timeout=240)


def _run(terminal: Terminal) -> None:
    terminal.press("4")
    terminal.sees("nightscout", "Runs of nightscout", timeout=90)
    terminal.press("x")
    terminal.sees("Run nightscout", "history_days")
    terminal.press("ctrl+r")
    terminal.sees("run nightscout", "on the running Dagster", timeout=120)
    terminal.sees("nightscout_dbt", timeout=180)
    terminal.until(lambda screen: "✓ success" in _row(screen, "nightscout"), 240, "the run has succeeded")
    terminal.sees("checks passed", timeout=30)
    terminal.press("enter")
    terminal.sees("Log of", "Finished dbt command", timeout=30)
    terminal.press("escape")
    terminal.until(lambda screen: "Log of" not in screen, 30, "the log is put away")


def _read_rows(terminal: Terminal) -> None:
    terminal.press("5")
    terminal.sees("marts.nightscout_daily", timeout=60)
    terminal.press("e")
    terminal.type("select count(*) > 80 as many from marts.nightscout_daily")
    terminal.press("ctrl+r")
    terminal.sees("many boolean", "True", "1 row in", timeout=60)
    terminal.press("escape")


def _search_logs(terminal: Terminal) -> None:
    terminal.press("3")
    terminal.sees("● following", "worker", timeout=60)
    terminal.press("/")
    terminal.type("dbt command")
    terminal.press("enter")
    terminal.sees("/dbt command:", " of ", "‖ here", timeout=30)
    terminal.press("escape")
    terminal.until(lambda screen: "/dbt command:" not in screen, 30, "the search is put away")
    terminal.press("&")
    terminal.sees("--exclude")
    terminal.type("worker --level info --grep dbt")
    terminal.press("enter")
    terminal.sees("asked: worker --level info --grep dbt", "Finished dbt command", timeout=60)


def _restart(terminal: Terminal) -> None:
    terminal.press("2")
    terminal.sees("object-store", "dagster-webserver")
    terminal.press("r")
    terminal.sees("restart object-store", "✓ done", timeout=120)


def _lose_dagster(terminal: Terminal, project: Project) -> None:
    services = project.call("status", "--json").data["services"]
    os.kill(next(one["pid"] for one in services if one["name"] == "dagster-webserver"), signal.SIGKILL)
    terminal.until(lambda screen: "● running" not in _row(screen, "dagster-webserver"), 60, "Dagster is away")
    terminal.until(lambda screen: "● running" in _row(screen, "dagster-webserver"), 180, "Dagster is back")
    terminal.sees("● up", timeout=60)


def _row(screen: str, name: str) -> str:
    return next((line for line in screen.splitlines() if f"│ {name} " in line), "")


def test_without_a_terminal_it_says_so(project: Project) -> None:
    called = project.call("tui", "--json")
    assert (called.code, called.error["code"]) == (2, "NO_TERMINAL")
    called = project.call("tui")
    assert called.code == 2
    assert "needs a terminal" in called.err
    assert "dataflow status" in called.err


def test_the_demo_needs_no_project_and_leaves_nothing(tmp_path: Path, open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal(Project(tmp_path), "--demo")
    terminal.sees("acme-shop", "DEMO", "service loki")
    terminal.press("q")
    assert terminal.ended() == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_project_it_says_so(tmp_path: Path, open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal(Project(tmp_path))
    terminal.sees("dataflow init")
    assert terminal.ended() != 0
