"""What people see on a project that has run a workflow without the platform."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Project, add_workflow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one workflow, which has run once."""
    project = Project(tmp_path_factory.mktemp("people"))
    project.write("dataflow.toml", 'name = "people"\n')
    parameters = "version: 1\nparameters: {full: {type: boolean, default: false, description: All of it.}}\n"
    add_workflow(project, "nightly", manifest=parameters)
    called = project.call("workflow", "run", "nightly")
    assert called.code == 0, called.err
    return project


def test_the_log_of_a_run_is_without_debug_lines_unless_they_are_asked_for(ran: Project) -> None:
    every = ran.call("workflow", "logs", "--json").data["lines"]
    quiet = ran.call("workflow", "logs").out
    assert any(line["level"] == "debug" for line in every)
    assert " debug " not in quiet
    assert " debug " in ran.call("workflow", "logs", "--verbose").out
    assert ran.call("workflow", "logs", "--tail", "1").out == quiet.splitlines()[-1] + "\n"
    assert " debug " not in ran.call("workflow", "logs", "--follow").out
    follow = ran.call("workflow", "logs", "--follow", "--json").out.splitlines()
    assert any(json.loads(line)["level"] == "debug" for line in follow)


def test_parameters_are_shown_as_they_are_written(ran: Project) -> None:
    assert "full = false" in ran.call("workflow", "run", "nightly", "--dry-run").out
    assert "boolean  false" in ran.call("workflow", "show", "nightly").out


def test_show_has_one_asset_per_line(ran: Project) -> None:
    assert "\nassets\n  nightly_table\n\nchecks  -\n" in ran.call("workflow", "show", "nightly").out


def test_csv_has_every_row_and_a_table_says_that_it_has_not(ran: Project) -> None:
    assert ran.call("data", "query", "create table numbers as from range(300)", "--write").code == 0
    csv = ran.call("data", "query", "from numbers", "--csv")
    assert (len(csv.out.splitlines()), csv.err) == (301, "")
    table = ran.call("data", "query", "from numbers")
    assert "100 rows in" in table.out
    assert "--limit N shows more" in table.err
    short = ran.call("data", "query", "from numbers", "--csv", "--limit", "3")
    assert (len(short.out.splitlines()), "There are more rows" in short.err) == (4, True)
    envelope = ran.call("data", "query", "from numbers", "--json")
    assert (len(envelope.data["rows"]), envelope.data["truncated"], envelope.err) == (100, True, "")
    assert "There are more rows" in envelope.json["warnings"][0]


def test_outside_a_terminal_a_row_is_a_line_however_wide(ran: Project) -> None:
    wide = "select " + ", ".join(f"'{'x' * 50}' as column_{index}" for index in range(10))
    assert len(ran.call("data", "query", wide).out.splitlines()) == 4
    assert "did not fit" in ran.call("data", "query", wide, COLUMNS="80").out


def test_status_without_workflows_does_not_speak_of_runs(project: Project) -> None:
    out = project.call("status").out
    assert out.startswith("tests is down · native engine\n")
    assert "Last runs" not in out
    assert "No workflows yet." in out


def test_an_empty_warehouse_says_how_to_fill_it(project: Project) -> None:
    assert "`dataflow workflow list`" in project.call("data", "tables").out


def test_a_project_without_the_example_is_told_how_to_write_a_workflow(tmp_path: Path) -> None:
    out = Project(tmp_path).call("init", "p", "--no-example").out
    assert "/docs/how-to/workflow.md" in out
    assert "nightscout" not in out
