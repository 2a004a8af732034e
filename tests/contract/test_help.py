"""Every command explains itself, and what it explains is true."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from dataflow.cli.app import COMMANDS, root
from dataflow.cli.schemas import ALTERNATIVES, RESULTS, schema_of
from tests.contract.conftest import parse

# They print something else than a result: a program's own output, a schema, a script.
WITHOUT_RESULT = {"exec", "schema", "completion", "config schema"}


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in COMMANDS:
        loaded = root().load_command(name)
        below = getattr(loaded, "commands", None)
        found |= {f"{name} {inner}": command for inner, command in below.items()} if below else {name: loaded}
    return found


ALL = commands()


@pytest.mark.parametrize("name", ALL)
def test_help_ends_with_examples_that_parse(name: str) -> None:
    text, _, example = (ALL[name].help or "").partition("Example:")
    assert re.match(r"[A-Z].*\.", text), "one sentence that says what"
    lines = [line.strip() for line in example.splitlines() if line.strip()]
    assert lines
    for line in lines:
        assert line.startswith(f"$ dataflow {name}"), line
        parse(shlex.split(line)[2:])


@pytest.mark.parametrize("name", ALL)
def test_every_option_and_argument_is_explained(name: str) -> None:
    for param in ALL[name].params:
        assert param.help or param.metavar or not param.opts[0].startswith("-"), param.opts


# Known to differ. Correct the code and remove them here.
DIFFERENT = {"down", "schema"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(reason="table and docstring differ") if name in DIFFERENT else ())
        for name in COMMANDS
        if name in ALL
    ],
)
def test_the_list_of_commands_says_what_the_command_says(name: str) -> None:
    in_list = COMMANDS[name][1].removesuffix(".")
    own = (ALL[name].help or "").split("\n\n")[0].replace("\n", " ")
    assert own.startswith(in_list), f"{own!r} does not begin with {in_list!r}"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ALL])
def test_the_list_of_commands_says_what_the_group_says(name: str) -> None:
    assert root().load_command(name).help == COMMANDS[name][1]


def test_every_command_with_a_result_has_a_schema() -> None:
    assert set(ALL) - WITHOUT_RESULT == set(RESULTS)
    assert set(ALTERNATIVES) <= set(RESULTS)


@pytest.mark.parametrize("name", [*RESULTS, "envelope", "event"])
def test_every_schema_is_a_json_schema(name: str) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema_of(name))
