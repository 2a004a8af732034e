"""Pages of Markdown with queries and components, as one HTML document without a script and without a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from dataflow.workflows.report.answers import Answers
from dataflow.workflows.report.parts import Parts, expression
from dataflow.workflows.rules.page_text import Page

_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_HEADING = re.compile(r"^#\s+(.+)$", re.MULTILINE)
# What Svelte would do: closing tags, and {#if}, {#each}, {:else}, {/if}.
_SVELTE = re.compile(r"</[A-Z]\w*\s*>|\{[#:/@][^}]*\}")
_MARK = re.compile("\ue000(\\d+)\ue001")
_ALONE = re.compile("<p>((?:\\s*\ue000\\d+\ue001\\s*)+)</p>")
# Nothing is loaded and nothing runs, whatever stands in the data.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_FRAME = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="dataflow">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><strong>{workflow}</strong>{nav}</header>
<main>{main}</main>
<footer>Data as of {as_of}.</footer>
</body>
</html>
""")
Edit = tuple[int, int, Markup]


@dataclass(frozen=True, slots=True)
class Section:
    """A page that was asked: where it is linked from, and what its queries said."""

    address: str
    page: Page
    answers: Answers

    @property
    def title(self) -> str:
        """From its front matter, else its first heading, else the file's name."""
        front = _FRONT.match(self.page.text)
        found = (_TITLE.search(front[1]) if front else None) or _HEADING.search(self.page.prose)
        return found[1].strip() if found else self.page.path.stem

    @property
    def anchor(self) -> str:
        """Its name within the document."""
        return "page" + re.sub(r"[^\w-]", "-", self.address)


@dataclass(frozen=True, slots=True)
class Document:
    """The text of the file, and how many charts are in it."""

    html: str
    charts: int


def compose(workflow: str, sections: Sequence[Section], as_of: datetime) -> Document:
    """One document of all pages, in their order, with links from page to page inside it."""
    parts = Parts()
    anchors = {section.address: section.anchor for section in sections}
    anchors |= {f"/{workflow}{section.address}".rstrip("/"): section.anchor for section in sections}
    bodies = [_body(section, parts, anchors) for section in sections]
    links = [Markup('<a href="#{}">{}</a>').format(section.anchor, section.title) for section in sections]
    made = _FRAME.format(
        policy=_POLICY,
        title=sections[0].title,
        style=Markup(_style()),  # noqa: S704 - our own file
        workflow=workflow,
        nav=Markup("<nav>{}</nav>").format(Markup(" ").join(links)) if len(links) > 1 else Markup(),
        main=Markup("\n").join(bodies),
        as_of=f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    )
    return Document(str(made), parts.charts)


def _body(section: Section, parts: Parts, anchors: dict[str, str]) -> Markup:
    """Components stand aside as marks while Markdown is rendered, so that neither reads the other."""
    text, pieces = _marked(section, parts)
    html = _markdown(anchors)(text)
    html = _ALONE.sub(lambda found: f'<div class="row">{found[1]}</div>', html)
    html = _MARK.sub(lambda found: str(pieces[int(found[1])]), html)
    heading = Markup() if _HEADING.search(section.page.prose) else Markup("<h1>{}</h1>").format(section.title)
    made = Markup('<section id="{}">{}{}{}</section>')
    # markdown-it escapes what it writes; `Markup` says so.
    return made.format(section.anchor, heading, Markup(html), _sources(section))  # noqa: S704


def _marked(section: Section, parts: Parts) -> tuple[str, list[Markup]]:
    """The page without front matter and queries, and with a numbered mark for each piece of HTML."""
    text = section.page.text.replace("\ue000", " ").replace("\ue001", " ")
    marked: list[str] = []
    pieces: list[Markup] = []
    place = 0
    for start, end, piece in sorted(_edits(section, parts), key=lambda edit: edit[:2]):
        if start < place:
            continue
        marked.append(text[place:start])
        if piece:
            marked.append(f"\ue000{len(pieces)}\ue001")
            pieces.append(piece)
        place = end
    return "".join([*marked, text[place:]]), pieces


def _edits(section: Section, parts: Parts) -> list[Edit]:
    """What of the text is replaced by which HTML."""
    page, answers = section.page, section.answers
    front = _FRONT.match(page.text)
    found: list[Edit] = [(*front.span(), Markup())] if front else []
    found += [(*query.span, Markup()) for query in page.queries]
    found += [(*one.span, parts.component(one, answers)) for one in page.components]
    told = [(one.span, expression(one, answers)) for one in page.expressions]
    found += [(*span, value) for span, value in told if value is not None]
    return found + [(*one.span(), Markup()) for one in _SVELTE.finditer(page.prose)]


def _sources(section: Section) -> Markup:
    """The SQL of the page, folded away."""
    if not section.page.queries:
        return Markup()
    queries = [
        Markup("<h4>{}</h4><pre>{}</pre>").format(query.name, query.sql.strip()) for query in section.page.queries
    ]
    return Markup("<details><summary>Queries</summary>{}</details>").format(Markup().join(queries))


def _markdown(anchors: dict[str, str]) -> Callable[[str], str]:
    """Markdown without raw HTML and without images, which would be asked of somebody; links lead into the document."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("js-default", {"html": False, "linkify": False}).disable("image")

    def link_open(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:  # noqa: ARG001
        target = str(tokens[index].attrGet("href") or "")
        if not target.startswith("/"):
            return str(Markup('<a href="{}" rel="noopener noreferrer">').format(target))
        anchor = anchors.get(target.partition("#")[0].partition("?")[0].rstrip("/") or "/")
        return f'<a href="#{escape(anchor)}">' if anchor else "<a>"

    made.add_render_rule("link_open", link_open)
    return lambda text: str(made.render(text))


@cache
def _style() -> str:
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")
