"""Where the documents are, and docs/generate.py as a module."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from dataflow.cli.app import root

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("workflows/*/README.md")),
]
# Typer carries its own Click and gives this exception no public name.
INCOMPLETE = next(kind for kind in typer.BadParameter.__subclasses__() if kind.__name__ == "MissingParameter")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A command that a page shows."""

    page: Path
    line: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.line}"


def fences(page: Path, language: str) -> list[str]:
    """The texts of a page's fenced blocks in one language."""
    return [text for kind, text in _FENCE.findall(page.read_text()) if kind == language]


def shown(program: str) -> Iterator[Shown]:
    """Every `$ program …` of every page, a comment behind it left out."""
    for page in PAGES:
        for block in fences(page, "console"):
            for line in block.splitlines():
                if line.startswith(f"$ {program} ") or line == f"$ {program}":
                    yield Shown(page, line.removeprefix("$ ").partition("  #")[0].strip())


def parse(words: list[str], *, complete: bool = True) -> None:
    """Parse a call of the command line as it would be, without carrying it out. Raises Typer's usage errors.

    Where it need not be `complete`, or ends in --help, arguments may be missing: a sentence names `workflow run`.
    """
    asked = min((words.index(word) for word in ("--help", "--version") if word in words), default=len(words))
    try:
        _parse(words[:asked])
    except INCOMPLETE:
        if complete and asked == len(words):
            raise


def _parse(words: list[str]) -> None:
    command: Any = root()
    context: Any = None
    name, rest = "dataflow", words
    while rest or not hasattr(command, "commands"):
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "commands"):
            return
        rest = [*context._protected_args, *context.args]
        if rest:
            name, command, rest = command.resolve_command(context, rest)


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    """docs/generate.py."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
