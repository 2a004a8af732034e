"""What an Evidence page is made of: named queries, components and links, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.documents import place_at
from dataflow.errors import Place

_FENCE = re.compile(r"^```(?:sql\s+(?P<name>[\w-]+))?.*$")
_TAG = re.compile(r"<(?P<name>[A-Z]\w*)(?P<rest>(?:[^<>{}]|\{[^}]*\})*?)/?>", re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>/[^)\s#?]*)")


@dataclass(frozen=True, slots=True)
class Query:
    """A ```sql name``` block. `line`: of its first line of SQL."""

    name: str
    sql: str
    line: int


@dataclass(frozen=True, slots=True)
class Component:
    """A tag with its attributes as they are written. `offset`: of the tag in the page's text."""

    name: str
    attributes: str
    offset: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a workflow: what it says and where."""

    path: Path
    text: str
    queries: tuple[Query, ...]
    components: tuple[Component, ...]
    links: tuple[tuple[str, int], ...]

    def at(self, offset: int) -> Place:
        """The place of a character, counted from 0."""
        before = self.text[:offset]
        return place_at(self.path, self.text, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def read_page(path: Path) -> Page:
    """Parse a page. Raises OSError, UnicodeDecodeError."""
    text = path.read_text(encoding="utf-8")
    queries, prose = _split(text)
    components = tuple(Component(found["name"], found["rest"], found.start()) for found in _TAG.finditer(prose))
    links = tuple((found["target"], found.start("target")) for found in _LINK.finditer(prose))
    return Page(path, text, tuple(queries), components, links)


def _split(text: str) -> tuple[list[Query], str]:
    """The queries, and the text with every block of code blanked out, so that offsets stay."""
    queries: list[Query] = []
    prose: list[str] = []
    name, block, began = None, list[str](), 0
    inside = False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        fence = _FENCE.match(line.rstrip("\n"))
        if fence and not inside:
            inside, name, block, began = True, fence["name"], [], number + 1
        elif fence:
            inside = False
            if name:
                queries.append(Query(name, "".join(block), began))
        elif inside:
            block.append(line)
        prose.append(line if not (inside or fence) else re.sub(r"[^\n]", " ", line))
    return queries, "".join(prose)


def words(attributes: str) -> Iterator[tuple[str, str, int]]:
    """(attribute, word, offset) for each value: `x=day`, `x="day"`, `y={["a", "b"]}`, `data={daily}`."""
    for found in re.finditer(r"(\w+)=(?:\{(?P<code>[^}]*)\}|\"(?P<text>[^\"]*)\"|(?P<bare>[^\s\"{}/>]+))", attributes):
        if found["code"] is not None:
            inner = re.finditer(r"[\"'](?P<quoted>[^\"']*)[\"']|(?P<name>[A-Za-z_]\w*)", found["code"])
            yield from ((found[1], one["quoted"] or one["name"], found.start("code") + one.start()) for one in inner)
        else:
            kind = "text" if found["text"] is not None else "bare"
            yield found[1], found[kind], found.start(kind)
