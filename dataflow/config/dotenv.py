""".env: read it with line numbers, add to it without touching what is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dataflow.config.documents import place_at, read_text
from dataflow.errors import ConfigurationError
from dataflow.system.files import write_text

OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Parsed:
    """The variables of a .env file, the line each stands on, and the text."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    text: str = ""


def load(path: Path) -> Parsed:
    """Read `path`; nothing where there is none. Raises ConfigurationError ENV_SYNTAX with the line."""
    if not path.is_file():
        return Parsed()
    from io import StringIO

    from dotenv.parser import parse_stream

    text = read_text(path)
    parsed = Parsed(text=text)
    for binding in parse_stream(StringIO(text)):
        line = binding.original.line + binding.original.string[: _leading(binding.original.string)].count("\n")
        if binding.error:
            place = place_at(path, text, line, 1)
            hint = "Each line is NAME=value; quote a value that holds spaces or #."
            raise ConfigurationError(f"{path.name} has a malformed line.", code="ENV_SYNTAX", hint=hint, place=place)
        if binding.key is not None:
            parsed.values[binding.key] = binding.value or ""
            parsed.lines[binding.key] = line
    return parsed


def add(path: Path, values: dict[str, str], *, comment: str) -> None:
    """Append variables, readable by the owner only. Nothing that is there changes."""
    before = read_text(path) if path.is_file() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    block = "".join(f"{name}={value}\n" for name, value in values.items())
    write_text(path, f"{before}# {comment}\n{block}", mode=OWNER_ONLY)


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip())
