"""Every example in every help page runs as written, on a platform that is up."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from dataflow.cli.app import COMMANDS, root
from tests.conftest import COMMAND, Project, add_workflow
from tests.tui.terminal import Terminal

EXAMPLE = re.compile(r"^ *\$ dataflow (.+)$", re.MULTILINE)
ORDER = ["data export", "data ingest", "storage put", "storage get", "storage rm"]  # each needs the one before
LAST = ["stop", "restart", "start", "init", "up", "down"]


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its whole name."""
    for name in COMMANDS:
        command = root().load_command(name)
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


def rank(item: tuple[str, Any]) -> tuple[int, int, str]:
    name = item[0]
    late = LAST.index(name) + 1 if name in LAST else 0
    return late, ORDER.index(name) + 1 if name in ORDER else 0, name


ALL = [(name, text) for name, command in sorted(commands(), key=rank) for text in EXAMPLE.findall(command.help or "")]
SALES = """
import dagster as dg

from dataflow.workflows.registry import register_workflow


@dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-06"))
def sales_day() -> None: ...


@register_workflow(name="sales", description="Sales by day.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[sales_day])
"""
# tests/engine runs these.
ON_DOCKER = [(name, text) for name, text in ALL if "docker" in text]
IN_CI = [("ci", "ci nightscout")]  # tests/e2e/test_ci.py runs it
FOUND = [example for example in ALL if example not in [*ON_DOCKER, *IN_CI]]


def test_every_command_has_an_example() -> None:
    assert {name for name, _ in commands()} - {name for name, _ in ALL} == set()


@pytest.mark.parametrize(("name", "text"), FOUND, ids=[text for _, text in FOUND])
def test_the_example_runs(platform: Project, name: str, text: str) -> None:
    if name == "tui":  # it needs a terminal
        terminal = Terminal([*COMMAND, *shlex.split(text)], cwd=platform.root, env=platform.env())
        terminal.sees("1 Overview", "q Quit")
        terminal.press("q")
        assert terminal.ended() == 0
        return
    if name == "workflow cancel":  # it needs a run that goes on
        assert platform.call("workflow", "run", "nightscout", "--detach").code == 0
    if "--from-failure" in text:  # it needs a run that did not succeed
        run_id = platform.call("workflow", "run", "nightscout", "--detach", "--json").data["run_id"]
        assert platform.call("workflow", "cancel", run_id).code == 0
    if name == "alerts ack":  # it needs an alert
        folder = add_workflow(platform, "fragile", body="raise ValueError")
        assert platform.call("workflow", "run", "fragile").code == 7
        shutil.rmtree(folder)
    if name == "workflow backfill":  # it needs a workflow with partitions
        platform.write("workflows/sales/dagster_job.py", SALES)
        platform.write("workflows/sales/config.yaml", "version: 1\n")
    called = platform.call(*shlex.split(text), timeout=400)
    assert called.code == 0, called.err or called.out
    for made in ("orders", "sales"):
        shutil.rmtree(platform.root / "workflows" / made, ignore_errors=True)
    if name == "down":
        assert platform.call("up", "--timeout", "180", timeout=400).code == 0
