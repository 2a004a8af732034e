"""The commands that errors and hints tell people to run exist."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.contract.conftest import ROOT, parse


def told() -> Iterator[tuple[str, str]]:
    """(file:line, command) of every text in the code that tells of a `dataflow …` command."""
    for path in sorted((ROOT / "dataflow").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            text = _text(node)
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Action":
                text = _text(node.args[1])
                if text.startswith("dataflow "):
                    yield where, text
            elif isinstance(node, ast.JoinedStr | ast.Constant) and "\n\n" not in text:
                yield from ((where, found) for found in re.findall(r"`(dataflow [a-z][^`]*)`", text))


def _text(node: ast.AST) -> str:
    """A string or f-string; what is filled in becomes X."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # f"…".strip()
        return _text(node.func.value)
    return ""


@pytest.mark.parametrize(("where", "command"), sorted(set(told())))
def test_the_command_exists(where: str, command: str) -> None:
    words = command.replace("…", "X").replace("engine switch X", "engine switch docker")
    parse(shlex.split(words)[1:], complete=False)
