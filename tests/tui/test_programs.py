"""Editor, pager and shell get the terminal, and give it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Project
from tests.tui.driving import Seat, drive
from tests.tui.terminal import Terminal

PROGRAM = """#!/bin/sh
printf '%s has: %s\\n' "$NAME" "$1"
head -3 "$1" 2>/dev/null
read answer
"""


@pytest.fixture
def lent(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """The demo in a terminal, with an editor and a pager that say what they were given."""
    program = tmp_path / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    opened: list[Terminal] = []

    def start(view: str) -> Terminal:
        words = {"VISUAL": f"env NAME=editor {program}", "PAGER": f"env NAME=pager {program}"}
        env = Project(tmp_path).env(**words)
        opened.append(Terminal([*COMMAND, "tui", "--demo", "--view", view], cwd=tmp_path, env=env))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.kill()


def test_a_workflow_is_edited_and_the_dashboard_is_back(lent: Callable[..., Terminal]) -> None:
    terminal = lent("workflows")
    terminal.sees("e Edit")
    terminal.press("e")
    terminal.sees("editor has: ", "dagster_job.py")
    terminal.press("enter")
    terminal.sees("e Edit", "q Quit")
    terminal.press("q")
    assert terminal.ended() == 0


def test_lines_are_read_in_the_pager(lent: Callable[..., Terminal]) -> None:
    terminal = lent("logs")
    terminal.sees("following", "p Pager", " info ")
    terminal.press("p")
    terminal.sees("pager has: ", "logs.txt", "info")
    terminal.press("enter")
    terminal.sees("p Pager")


def test_a_shell_is_opened_where_a_service_runs(lent: Callable[..., Terminal]) -> None:
    terminal = lent("services")
    terminal.sees("l Logs")
    terminal.press("x")
    terminal.sees("this is your own shell")
    terminal.press("echo it is $((40 + 2))", "enter")
    terminal.sees("it is 42")
    terminal.press("exit", "enter")
    terminal.sees("l Logs")


def test_an_editor_that_is_not_there_is_told(tmp_path: Path) -> None:
    env = Project(tmp_path).env(VISUAL="no-such-editor")
    terminal = Terminal([*COMMAND, "tui", "--demo", "--view", "workflows"], cwd=tmp_path, env=env)
    try:
        terminal.sees("e Edit")
        terminal.press("e")
        terminal.sees("The program 'no-such-editor' is not here.")
    finally:
        terminal.kill()


def test_a_terminal_that_cannot_be_given_is_told() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("4")
        await seat.sees("e Edit")
        await seat.press("e")
        await seat.until(lambda: "This terminal cannot be given to another program." in seat.toasts)

    drive(act)
