"""What every command has in common, as a script sees it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Project, add_workflow

HEAVY = {
    "dagster",
    "duckdb",
    "textual",
    "docker",
    "pydantic_settings",
    "minio",
    "pyarrow",
    "httpx",
    "psutil",
}


def imported(*arguments: str, cwd: Path, **env: str) -> set[str]:
    """The top-level modules in sys.modules after a call."""
    code = (
        "import sys, atexit, json\n"
        "from dataflow.cli.app import root\n"
        "names = lambda: json.dumps(sorted(m.partition('.')[0] for m in sys.modules))\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + names()))\n"
        "root().main(args=sys.argv[1:], prog_name='dataflow')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, env={**os.environ, **env}
    )
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["up", "--help"], ["workflow", "--help"], ["tui", "--help"]]
)
def test_version_and_help_import_nothing_heavy(project: Project, arguments: list[str]) -> None:
    assert imported(*arguments, cwd=project.root) & HEAVY == set()


@pytest.mark.parametrize(
    "words", ["dataflow st", "dataflow stop o", "dataflow workflow run n", "dataflow workflow status "]
)
def test_completion_imports_nothing_heavy(project: Project, words: str) -> None:
    env = {"_DATAFLOW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert imported(cwd=project.root, **env) & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("dataflow sta", ["start", "status"]),
        ("dataflow workflow ca", ["cancel"]),
        ("dataflow stop dagster-d", ["dagster-daemon"]),
        ("dataflow workflow run n", ["nightly"]),
        ("dataflow workflow status l", ["last"]),
        ("dataflow up --ti", ["--timeout"]),
    ],
)
def test_completion_knows_commands_services_workflows_and_runs(project: Project, words: str, wanted: list[str]) -> None:
    add_workflow(project, "nightly")
    env = {"_DATAFLOW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert project.call(**env).out.split() == wanted


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_names_our_variable(project: Project, shell: str) -> None:
    assert "_DATAFLOW_COMPLETE" in project.call("completion", shell).out


@pytest.mark.parametrize("module", ["dataflow", "dataflow.cli"])
def test_it_runs_as_a_module(project: Project, module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, cwd=project.root)
    assert (done.returncode, done.stdout.split()[0]) == (0, "dataflow")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sttaus"], "'status'"),
        (["workflow", "rnu", "x"], "'run'"),
        (["stop", "dagster-deamon"], "Did you mean 'dagster-daemon'?"),
        (["workflow", "run", "nighty"], "Did you mean 'nightly'?"),
        (["schema", "statsu"], "Did you mean 'status'?"),
        (["status", "--jsn"], "--json"),
    ],
)
def test_a_wrong_name_gets_a_did_you_mean_and_exit_code_2(project: Project, arguments: list[str], words: str) -> None:
    add_workflow(project, "nightly")
    called = project.call(*arguments)
    assert (called.code, called.out) == (2, "")
    assert words in called.err


@pytest.mark.parametrize("arguments", [[], ["workflow"]])
def test_called_with_nothing_it_shows_its_help_and_ends_with_2(project: Project, arguments: list[str]) -> None:
    called = project.call(*arguments)
    assert (called.code, called.out) == (2, "")
    assert "Usage: dataflow" in called.err
    assert "error USAGE" not in called.err


@pytest.mark.parametrize("arguments", [["--json"], ["--json", "workflow"], ["workflow", "--json"]])
def test_called_with_nothing_but_json_the_envelope_says_so(project: Project, arguments: list[str]) -> None:
    called = project.call(*arguments)
    assert (called.code, called.err, called.error["message"]) == (2, "", "Missing command.")


def test_shared_options_may_stand_before_or_after_the_group(project: Project) -> None:
    for arguments in (["--json", "config", "show"], ["config", "--json", "show"], ["config", "show", "--json"]):
        assert project.call(*arguments).data["values"], arguments


def test_a_missing_argument_is_called_as_in_the_help(project: Project) -> None:
    assert "Missing argument 'FILE'" in project.call("data", "export", "t").err


def test_help_needs_neither_rich_nor_a_project(tmp_path: Path) -> None:
    assert imported("up", "--help", cwd=tmp_path) & {"rich", "markdown_it", "pygments"} == set()


def test_without_a_project_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    called = Project(tmp_path).call("status", "--json")
    assert called.code == 5
    assert called.error["code"] == "NO_PROJECT"
    assert {action["command"] for action in called.error["actions"]} >= {"dataflow init ."}


def test_an_error_in_json_is_an_envelope_on_stdout_and_nothing_on_stderr(project: Project) -> None:
    envelope = json.loads(project.call("schema", "envelope").out)
    for arguments in (
        ["stop", "nobody", "--json"],
        ["--json", "stop", "nobody"],
        ["nonsense", "--json"],
        ["--json", "--nope"],
    ):
        called = project.call(*arguments)
        assert (called.code, called.err) == (2, ""), arguments
        Draft202012Validator(envelope).validate(called.json)
        assert called.json["status"] == "failed"


def test_project_dir_works_from_elsewhere_before_and_after_the_command(project: Project, tmp_path: Path) -> None:
    elsewhere = Project(tmp_path)
    for arguments in (
        ["--project-dir", str(project.root), "engine", "show"],
        ["engine", "show", "--project-dir", str(project.root)],
    ):
        assert elsewhere.call(*arguments).out.startswith("native (")
    assert elsewhere.call("engine", "show", DATAFLOW_PROJECT_DIR=str(project.root)).code == 0


def test_quiet_prints_nothing_that_went_well(project: Project) -> None:
    called = project.call("config", "validate", "--quiet")
    assert (called.code, called.out, called.err) == (0, "", "")


def test_no_colour_where_it_is_not_wanted(project: Project) -> None:
    colour = re.compile(r"\x1b\[[\d;]*(3|4|9)\dm")
    assert colour.search(project.call("stop", "x", FORCE_COLOR="1").err)
    assert not colour.search(project.call("stop", "x", "--no-color", FORCE_COLOR="1").err)
    assert not colour.search(project.call("stop", "x", FORCE_COLOR="1", NO_COLOR="1").err)


def test_verbose_shows_what_caused_an_error(project: Project) -> None:
    project.write("dataflow.toml", "name = \n")
    assert "caused by TOMLDecodeError" in project.call("status", "--verbose").err


def test_an_error_shows_the_line_with_a_mark_under_the_column(project: Project) -> None:
    project.write("dataflow.toml", 'name = "x"\nengin = "native"\n')
    called = project.call("status")
    assert called.code == 4
    lines = called.err.splitlines()
    assert f"at {project.root}/dataflow.toml:2:1" in called.err
    assert lines[2].endswith('| engin = "native"')
    assert lines[3].index("^") == lines[2].index("engin")
    assert "Did you mean 'engine'?" in called.err
