"""What an Evidence page is made of: named queries, components, expressions and links, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.documents import place_at
from dataflow.errors import Place

_FENCE = re.compile(r"^```(?:sql\s+(?P<name>[\w-]+))?.*$")
_TAG = re.compile(r"<(?P<name>[A-Z]\w*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|\{[^}]*\}|[^<>{}\"'])*?)/?>", re.DOTALL)
_LINK = re.compile(r"\]\((?P<target>/[^)\s#?]*)")
_EXPRESSION = re.compile(r"\{\s*(?P<query>\w+)(?:\[(?P<row>\d+)\]\.(?P<column>\w+)|\.length)\s*\}")
_INTERPOLATED = re.compile(r"\$\{\s*([\w.]+)[^}]*\}")
_ATTRIBUTE = re.compile(
    r"(\w+)=(?:\{(?P<code>[^}]*)\}|\"(?P<text>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'{}/>]+))"
)
_IN_CODE = re.compile(r"[\"'](?P<quoted>[^\"']*)[\"']|(?P<name>[A-Za-z_]\w*|\d+)")
# What only a browser knows.
_LATER = frozenset({"inputs", "params"})


@dataclass(frozen=True, slots=True)
class Query:
    """A ```sql name``` block. `line`: of its first line of SQL. `span`: of the block in the page's text."""

    name: str
    sql: str
    line: int
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Component:
    """A tag with its attributes as they are written. `span`: of the opening tag in the page's text."""

    name: str
    attributes: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Expression:
    """`{query[0].column}`, or `{query.length}`, whose column is None."""

    query: str
    row: int
    column: str | None
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a workflow: what it says and where. `prose`: the text with every block of code blanked out."""

    path: Path
    text: str
    prose: str
    queries: tuple[Query, ...]
    components: tuple[Component, ...]
    expressions: tuple[Expression, ...]
    links: tuple[tuple[str, int], ...]

    def at(self, offset: int) -> Place:
        """The place of a character, counted from 0."""
        before = self.text[:offset]
        return place_at(self.path, self.text, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def read_page(path: Path) -> Page:
    """Parse a page. Raises OSError, UnicodeDecodeError."""
    text = path.read_text(encoding="utf-8")
    queries, prose = _split(text)
    components = tuple(Component(found["name"], found["rest"], found.span()) for found in _TAG.finditer(prose))
    expressions = tuple(
        Expression(found["query"], int(found["row"] or 0), found["column"], found.span())
        for found in _EXPRESSION.finditer(prose)
        if not any(one.span[0] <= found.start() < one.span[1] for one in components)
    )
    links = tuple((found["target"], found.start("target")) for found in _LINK.finditer(prose))
    return Page(path, text, prose, tuple(queries), components, expressions, links)


def address(path: Path, pages: Path) -> str:
    """`index.md` is /, `by-day.md` is /by-day."""
    parts = path.relative_to(pages).with_suffix("").parts
    return "/" + "/".join(part for part in parts if part != "index")


def whole(sql: str, known: Mapping[str, Query], path: tuple[str, ...]) -> str | None:
    """The query with those it refers to in their places; None where it needs what only a browser knows.

    `path`: the names of the queries that led here.

    Raises:
        KeyError: with the name that no query has, or that refers to itself.
    """
    for found in list(_INTERPOLATED.finditer(sql)):
        name = found[1]
        if name.partition(".")[0] in _LATER:
            return None
        if name not in known or name in path:
            raise KeyError(name)
        inner = whole(known[name].sql, known, (*path, name))
        if inner is None:
            return None
        sql = sql.replace(found[0], f"({inner.strip().rstrip(';')}\n)")
    return sql


def words(attributes: str) -> Iterator[tuple[str, str, int]]:
    """(attribute, word, offset) for each value: `x=day`, `x="day"`, `y={["a", "b"]}`, `data={daily}`, `rows={5}`."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found["code"] is not None:
            inner = _IN_CODE.finditer(found["code"])
            yield from ((found[1], one["quoted"] or one["name"], found.start("code") + one.start()) for one in inner)
        else:
            kind = next(kind for kind in ("text", "single", "bare") if found[kind] is not None)
            yield found[1], found[kind], found.start(kind)


def _split(text: str) -> tuple[list[Query], str]:
    """The queries, and the text with every block of code blanked out, so that offsets stay."""
    queries: list[Query] = []
    prose: list[str] = []
    name, block, began, start, offset = None, list[str](), 0, 0, 0
    inside = False
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        fence = _FENCE.match(line.rstrip("\n"))
        if fence and not inside:
            inside, name, block, began, start = True, fence["name"], [], number + 1, offset
        elif fence:
            inside = False
            if name:
                queries.append(Query(name, "".join(block), began, (start, offset + len(line))))
        elif inside:
            block.append(line)
        offset += len(line)
        prose.append(line if not (inside or fence) else re.sub(r"[^\n]", " ", line))
    return queries, "".join(prose)
