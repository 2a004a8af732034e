""".env: read it with line numbers, add to it without touching what is there.

Its last part may be a block that `dataflow` writes for plain `docker compose`; it holds no settings of the user's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dataflow.config.documents import place_at, read_text
from dataflow.errors import ConfigurationError
from dataflow.system.files import write_text

OWNER_ONLY = 0o600
_BEGIN = "# >>> For plain `docker compose`. Written by dataflow: changes are lost."
_END = "# <<<"
_BLOCK = re.compile(rf"^{re.escape(_BEGIN)}\n.*?^{re.escape(_END)}\n", re.MULTILINE | re.DOTALL)
_PLAIN = re.compile(r"[\w@%+=:,./-]*")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The variables of a .env file, the line each stands on, and the text."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    text: str = ""


def load(path: Path) -> Parsed:
    """Read `path` but for our block; nothing where there is none. Raises ConfigurationError ENV_SYNTAX."""
    return parse(read_text(path), path) if path.is_file() else Parsed()


def parse(text: str, path: Path = Path(".env")) -> Parsed:
    """Read a text as `path` would be read."""
    from io import StringIO

    from dotenv.parser import parse_stream

    parsed = Parsed(text=text)
    own = _BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)  # empty lines keep the numbers of the others
    for binding in parse_stream(StringIO(own)):
        line = binding.original.line + binding.original.string[: _leading(binding.original.string)].count("\n")
        if binding.error:
            place = place_at(path, text, line, 1)
            hint = "Each line is NAME=value; quote a value that holds spaces or #."
            raise ConfigurationError(f"{path.name} has a malformed line.", code="ENV_SYNTAX", hint=hint, place=place)
        if binding.key is not None:
            parsed.values[binding.key] = binding.value or ""
            parsed.lines[binding.key] = line
    return parsed


def salvage(text: str) -> tuple[dict[str, str], list[str]]:
    """The variables of a text that may be broken, and the pieces of it that no variable can be read from."""
    from io import StringIO

    from dotenv.parser import parse_stream

    bindings = list(parse_stream(StringIO(_BLOCK.sub("", text))))
    broken = [binding.original.string for binding in bindings if binding.error]
    return {binding.key: binding.value or "" for binding in bindings if binding.key is not None}, broken


def add(path: Path, values: dict[str, str], *, comment: str) -> None:
    """Append variables, readable by the owner only. Nothing that is there changes."""
    before = read_text(path) if path.is_file() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    block = "".join(f"{name}={value}\n" for name, value in values.items())
    write_text(path, f"{before}# {comment}\n{block}", mode=OWNER_ONLY)


def write_block(path: Path, values: Mapping[str, str]) -> None:
    """Replace our block, readable by the owner only; what the user wrote stays as it is."""
    before = read_text(path) if path.is_file() else ""
    rest = _BLOCK.sub("", before)
    if rest and not rest.endswith("\n"):
        rest += "\n"
    block = "".join(f"{name}={quoted(value)}\n" for name, value in values.items())
    text = f"{rest}{_BEGIN}\n{block}{_END}\n"
    if text != before:
        write_text(path, text, mode=OWNER_ONLY)


def quoted(value: str) -> str:
    """A value as Docker Compose reads it back unchanged."""
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value and "\n" not in value:
        return f"'{value}'"
    escaped = re.sub(r'(["\\$])', r"\\\1", value).replace("\n", "\\n")
    return f'"{escaped}"'


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip())
