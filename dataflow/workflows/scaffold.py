"""Templates of workflows: folders of real files in which the workflow is called `workflow_name`.

A template is `templates/<name>/` over `templates/common/`; a file of the first takes the place of one of the second.
`template.toml` says what it is for and is not copied, nor is what it leaves out of the common files.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent / "templates"
_COMMON = "common"
_ABOUT = "template.toml"
_NAME, _VARIABLE, _DESCRIPTION = "workflow_name", "WORKFLOW_NAME", "workflow_description"


@dataclass(frozen=True, slots=True)
class Template:
    """What a template is for, and the services that a workflow made from it needs."""

    name: str
    about: str
    description: str
    requires: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


def templates() -> tuple[Template, ...]:
    """All templates, the plainest first."""
    found = [_read(path.parent) for path in _ROOT.glob(f"*/{_ABOUT}")]
    return tuple(sorted(found, key=lambda one: (one.name != "blank", one.name)))


def render(template: Template, name: str, description: str | None = None) -> Mapping[Path, str]:
    """The text of every file of a workflow called `name`, by its path in the workflow's folder."""
    words = {_DESCRIPTION: _escaped(description or template.description), _NAME: name, _VARIABLE: name.upper()}
    files = dict.fromkeys(_files(_COMMON), _COMMON) | dict.fromkeys(_files(template.name), template.name)
    return {
        Path(_filled(str(path), words)): _filled((_ROOT / place / path).read_text(encoding="utf-8"), words)
        for path, place in sorted(files.items())
        if str(path) not in template.without
    }


def _read(folder: Path) -> Template:
    facts = tomllib.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    lists = {key: tuple(facts.get(key, ())) for key in ("requires", "without")}
    return Template(folder.name, facts["about"], facts["description"], **lists)


def _files(name: str) -> list[Path]:
    folder = _ROOT / name
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path.relative_to(folder) for path in paths if path.name != _ABOUT]


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _escaped(text: str) -> str:
    """Fit for a Python string in double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
