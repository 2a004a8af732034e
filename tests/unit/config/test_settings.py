from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import VARIABLES, explained, leaves, load, variable_of
from dataflow.errors import ConfigurationError, UsageError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "dataflow.toml").write_text("")
    return ProjectPaths(tmp_path)


def test_each_layer_wins_over_the_one_below(paths: ProjectPaths) -> None:
    key, variable = "up.timeout", "DATAFLOW_UP_TIMEOUT"
    assert load(paths, flags={}, environ={}).settings.up.timeout == 120
    paths.config.write_text("[up]\ntimeout = 1\n")
    loaded = load(paths, flags={}, environ={})
    assert (loaded.settings.up.timeout, str(loaded.origin(key))) == (1, "dataflow.toml")
    paths.env.write_text(f"# mine\n{variable}=2\n")
    loaded = load(paths, flags={}, environ={})
    assert (loaded.settings.up.timeout, str(loaded.origin(key))) == (2, ".env (.env:2)")
    loaded = load(paths, flags={}, environ={variable: "3"})
    assert (loaded.settings.up.timeout, str(loaded.origin(key))) == (3, f"environment ({variable})")
    loaded = load(paths, flags={key: 4}, environ={variable: "3"})
    assert (loaded.settings.up.timeout, str(loaded.origin(key))) == (4, "flag (--timeout)")


def test_a_service_is_set_by_its_own_variable(paths: ProjectPaths) -> None:
    loaded = load(paths, flags={}, environ={"DATAFLOW_SERVICES_DAGSTER_WEBSERVER_PORT": "3111"})
    assert loaded.settings.services["dagster-webserver"].port == 3111


def test_profiles_in_a_variable_are_separated_by_commas(paths: ProjectPaths) -> None:
    assert load(paths, flags={}, environ={"DATAFLOW_PROFILES": "a,b"}).settings.profiles == ("a", "b")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('nmae = "x"\n', 1, 1, "Did you mean 'name'?"),
        ("\n[warehouse]\npth = 1\n", 3, 1, "Did you mean 'path'?"),
        ("[services.object-store]\nprot = 1\n", 2, 1, "Did you mean 'port'?"),
        ("[services.object-store]\nport = 99999\n", 2, 1, "Found: 99999."),
        ("engine = 3\n", 1, 1, "Found: 3."),
        ('name = "Has Spaces"\n', 1, 1, "Found: 'Has Spaces'."),
    ],
)
def test_a_wrong_key_or_value_in_the_file_has_a_place_and_a_cure(
    paths: ProjectPaths, text: str, line: int, column: int, words: str
) -> None:
    paths.config.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(paths, flags={}, environ={})
    error = caught.value
    assert error.code == "CONFIG_INVALID"
    assert error.place
    assert (error.place.line, error.place.column) == (line, column)
    assert error.hint == words


def test_all_findings_of_a_file_are_carried(paths: ProjectPaths) -> None:
    paths.config.write_text("a = 1\nb = 2\nengine = 'x'\n")
    with pytest.raises(ConfigurationError, match=r"\(2 more\)") as caught:
        load(paths, flags={}, environ={})
    assert len(caught.value.findings) == 3


def test_an_unknown_variable_of_ours_in_env_is_refused_with_its_line(paths: ProjectPaths) -> None:
    paths.env.write_text("OTHER=1\nDATAFLOW_ENGIN=native\n")
    with pytest.raises(ConfigurationError) as caught:
        load(paths, flags={}, environ={})
    assert caught.value.place
    assert caught.value.place.line == 2
    assert caught.value.hint == "Did you mean 'DATAFLOW_ENGINE'?"


def test_a_malformed_env_line_is_an_error_with_its_line(paths: ProjectPaths) -> None:
    paths.env.write_text("GOOD=1\n\n'broken\nALSO=2\n")
    with pytest.raises(ConfigurationError) as caught:
        load(paths, flags={}, environ={})
    assert caught.value.code == "ENV_SYNTAX"
    assert caught.value.place
    assert caught.value.place.line == 3


def test_a_wrong_value_in_a_variable_names_the_variable(paths: ProjectPaths) -> None:
    with pytest.raises(UsageError, match="DATAFLOW_UP_TIMEOUT"):
        load(paths, flags={}, environ={"DATAFLOW_UP_TIMEOUT": "soon"})


def test_every_setting_and_variable_is_explained_in_the_example_env() -> None:
    text = (ROOT / ".env.example").read_text()
    wanted = {variable_of(key) for key in leaves() if key != "services"} | set(VARIABLES)
    assert {name for name in wanted if name not in text} == set()


def test_every_setting_has_a_description() -> None:
    assert [key for key, field in explained().items() if not field.description] == []
