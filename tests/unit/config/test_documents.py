from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.config.documents import load_toml, load_yaml
from dataflow.errors import ConfigurationError


def write(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("key", "line", "column"),
    [
        (("name",), 1, 1),
        (("warehouse", "path"), 4, 1),
        (("services", "dagster-webserver", "port"), 7, 3),
        (("other", "inline", "a"), 9, 12),
        (("other", "up", "timeout"), 10, 1),
        (("warehouse", "nope"), 3, 2),
    ],
)
def test_a_toml_key_is_found_where_it_stands(tmp_path: Path, key: tuple[str, ...], line: int, column: int) -> None:
    text = 'name = "x"\n# a comment\n[warehouse]\npath = "p"\n\n["services"."dagster-webserver"]\n  port = 3\n'
    text += "[other]\ninline = { a = 1 }\nup.timeout = 3\n"
    document = load_toml(write(tmp_path, "dataflow.toml", text))
    place = document.place(key)
    assert (place.line, place.column) == (line, column)


def test_a_yaml_key_is_found_where_it_stands(tmp_path: Path) -> None:
    document = load_yaml(write(tmp_path, "config.yaml", "version: 1\nsecrets:\n  - name: A\n  - nme: B\n"))
    place = document.place(("secrets", 1, "nme"))
    assert (place.line, place.column, place.snippet) == (4, 5, "  - nme: B")


@pytest.mark.parametrize(
    ("name", "text", "code", "line"),
    [
        ("a.toml", "name = \n", "TOML_SYNTAX", 1),
        ("a.toml", 'name = "x"\nname = "y"\n', "TOML_SYNTAX", 2),
        ("a.toml", b'name = "\xff"\n', "FILE_UNREADABLE", 1),
        ("a.yaml", "a: [1\n", "YAML_SYNTAX", 2),
        ("a.yaml", "a: 1\na: 2\n", "YAML_SYNTAX", 2),
        ("a.yaml", "- 1\n", "YAML_SYNTAX", 1),
    ],
)
def test_broken_text_is_an_error_with_a_line(
    tmp_path: Path, name: str, text: str | bytes, code: str, line: int
) -> None:
    load = load_toml if name.endswith("toml") else load_yaml
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, name, text))
    assert caught.value.code == code
    assert caught.value.place
    assert caught.value.place.line == line


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.toml") as caught:
        load_toml(tmp_path / "gone.toml")
    assert caught.value.code == "FILE_UNREADABLE"


def test_an_empty_yaml_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert load_yaml(write(tmp_path, "config.yaml", "")).data == {}
