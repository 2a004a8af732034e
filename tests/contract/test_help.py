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
WITHOUT_RESULT = {"exec", "schema", "completion", "config schema", "tui"}


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
        assert param.help, param.opts


def page_of(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = root().main([*name.split(), "--help"], prog_name="dataflow", standalone_mode=False)
    assert not code
    return capsys.readouterr().out


@pytest.mark.parametrize("name", ["", *dict.fromkeys([*COMMANDS, *ALL])])
def test_a_help_page_fits_80_columns_and_shows_each_example_on_a_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = page_of(name, capsys).splitlines()
    assert max(map(len, lines)) <= 80
    examples = re.findall(r"\$ dataflow .+", (ALL[name].help or "") if name in ALL else "")
    assert [line for line in lines if line.startswith("  $ ")] == [f"  {example}" for example in examples]


@pytest.mark.parametrize("name", ALL)
def test_a_help_page_shows_names_as_people_type_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = page_of(name, capsys)
    assert not re.search(r"[<>{}]", page.replace(">=", ""))
    assert f"Usage: dataflow {name} [OPTIONS]" in page
    assert re.search(r"^  -h, --help +Show", page, re.MULTILINE)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name in ALL])
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
