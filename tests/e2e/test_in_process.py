"""`workflow run --in-process`: the run has this terminal, so that its code can be stopped and looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import COMMAND, Project, add_workflow
from tests.tui.terminal import Terminal

pytestmark = pytest.mark.e2e

CODE = """
import dagster as dg

from dataflow.workflows.registry import register_workflow


@dg.asset
def counted(context) -> None:
    number = 40
    breakpoint()
    context.log.info(f"it is {number + 2}")


@register_workflow(name="stopped", description="Stops.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[counted])
"""


def stopped(project: Project) -> Path:
    folder = add_workflow(project, "stopped")
    (folder / "dagster_job.py").write_text(CODE)
    return folder


def test_a_breakpoint_stops_in_this_terminal_and_the_run_is_in_the_history(own: Project) -> None:
    stopped(own)
    terminal = Terminal([*COMMAND, "workflow", "run", "stopped", "--in-process"], cwd=own.root, env=own.env())
    terminal.sees("(Pdb)")
    terminal.press("print(number * 2)\r")
    terminal.sees("80")
    terminal.press("number = 50\r", "continue\r")
    terminal.sees("counted: it is 52", "stopped succeeded")
    assert terminal.ended() == 0
    (run,) = own.call("workflow", "runs", "stopped", "--json").data["runs"]
    assert run["state"] == "success"
    assert "it is 52" in own.call("workflow", "logs", run["id"]).out


def test_leaving_the_debugger_fails_the_run_and_the_place_is_told(own: Project) -> None:
    folder = stopped(own)
    terminal = Terminal([*COMMAND, "workflow", "run", "stopped", "--in-process"], cwd=own.root, env=own.env())
    terminal.sees("(Pdb)")
    terminal.press("quit\r")
    terminal.sees("RUN_FAILED")
    assert terminal.ended() == 7
    code = folder / "dagster_job.py"
    code.write_text(CODE.replace("breakpoint()", "raise ValueError('planted')"))
    failed = own.call("workflow", "run", "stopped", "--in-process")
    assert failed.code == 7
    assert f'File "{code}", line 10, in counted' in failed.err
    assert "site-packages" not in failed.err
    assert "ValueError: planted" in failed.err


def test_it_contradicts_detach_and_a_containers_run(own: Project) -> None:
    stopped(own)
    assert own.call("workflow", "run", "stopped", "--in-process", "--detach").code == 2
    refused = own.call("workflow", "run", "stopped", "--in-process", "--json", DATAFLOW_ENGINE="docker")
    assert (refused.code, refused.error["code"]) == (2, "NATIVE_ONLY")
