"""What can be done from the overview: go to what is wrong."""

from __future__ import annotations

from dataflow_tui.commands.model import Command, Desk, says


def _visit(desk: Desk) -> None:
    desk.go("overview").visit()


COMMANDS: tuple[Command, ...] = (
    Command(
        "overview.visit",
        "enter",
        "Evidence",
        "Show the evidence for the problem under the cursor, and the commands that help.",
        _visit,
        says("dataflow why"),
        view="overview",
    ),
)
