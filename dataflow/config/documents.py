"""Read TOML and YAML so that a complaint can name the line: data for the program, places for people."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflow.errors import ConfigurationError, Place

KeyPath = tuple[str | int, ...]
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file. `data` is its top-level mapping; `place` finds a key's line and column, both from 1."""

    path: Path
    text: str
    data: dict[str, Any]
    locate: Callable[[str, KeyPath], Position | None]

    def place(self, key: KeyPath) -> Place:
        """Where `key` stands, or its nearest parent that does."""
        for length in range(len(key), 0, -1):
            position = self.locate(self.text, key[:length])
            if position:
                return place_at(self.path, self.text, *position)
        return Place(self.path, 1, 1, _line(self.text, 1))


def place_at(path: Path, text: str, line: int, column: int) -> Place:
    """A place with the text of its line as the snippet."""
    return Place(path, line, column, _line(text, line))


def load_toml(path: Path) -> Document:
    """Parse a TOML file. Raises ConfigurationError (TOML_SYNTAX, FILE_UNREADABLE)."""
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
        reason = str(error).partition(" (at ")[0]
        place = place_at(path, text, line, column)
        raise ConfigurationError(f"{path.name} is not valid TOML: {reason}", code="TOML_SYNTAX", place=place) from error
    return Document(path, text, data, _locate_toml)


def load_yaml(path: Path) -> Document:
    """Parse a YAML file that holds a mapping. Raises ConfigurationError (YAML_SYNTAX, FILE_UNREADABLE)."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    text = read_text(path)
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = place_at(path, text, mark.line + 1, mark.column + 1) if mark else Place(path, 1)
        message = f"{path.name} is not valid YAML: {error.problem or error.context}"
        raise ConfigurationError(message, code="YAML_SYNTAX", place=place) from error
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        message = f"{path.name} must hold a mapping of keys to values."
        raise ConfigurationError(message, code="YAML_SYNTAX", place=place_at(path, text, 1, 1))
    return Document(path, text, dict(data), _locate_yaml)


def read_text(path: Path) -> str:
    """The file's text. Raises ConfigurationError FILE_UNREADABLE where it is missing, forbidden or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        message = f"{path.name} is not UTF-8 text."
        raise ConfigurationError(message, code="FILE_UNREADABLE", place=Place(path, line)) from error
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise ConfigurationError(message, code="FILE_UNREADABLE", place=Place(path)) from error


def _line(text: str, number: int) -> str | None:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else None


def _locate_yaml(text: str, key: KeyPath) -> Position | None:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    node: Any = YAML(pure=True).compose(text)
    mark: Any = None
    for part in key:
        if isinstance(node, MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                return None
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        else:
            return None
    return (mark.line + 1, mark.column + 1) if mark else None


def _locate_toml(text: str, key: KeyPath) -> Position | None:
    from tree_sitter import Language, Parser
    from tree_sitter_toml import language

    root = Parser(Language(language())).parse(text.encode()).root_node
    wanted = tuple(str(part) for part in key)
    for path, node in _toml_keys(root, ()):
        if path[: len(wanted)] == wanted:
            column = len(text.encode().splitlines()[node.start_point.row][: node.start_point.column].decode())
            return node.start_point.row + 1, column + 1
    return None


def _toml_keys(node: Any, prefix: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    """Every key below `node` with its full path and its node, in the order of the file."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for child in node.named_children:
        if child.type in {"table", "table_array_element", "pair"}:
            name = child.named_children[0]
            path = (*prefix, *_toml_name(name))
            found.append((path, name))
            found += _toml_keys(child, path)
        elif child.type == "inline_table":
            found += _toml_keys(child, prefix)
    return found


def _toml_name(node: Any) -> tuple[str, ...]:
    if node.type == "dotted_key":
        return tuple(part for child in node.named_children for part in _toml_name(child))
    return (node.text.decode().strip("\"'"),)
