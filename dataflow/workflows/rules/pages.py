"""Rules about Evidence pages, without Node: queries run on DuckDB, components and links are known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.config.documents import place_at
from dataflow.config.validation import suggestion
from dataflow.errors import Place
from dataflow.models import Finding
from dataflow.workflows.rules.components import COLUMNS, components
from dataflow.workflows.rules.page_text import Component, Page, Query, read_page, words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_INTERPOLATED = re.compile(r"\$\{\s*([\w.]+)[^}]*\}")
_LINE = re.compile(r"^LINE (\d+): (.*)$", re.MULTILINE)
_MISSING_COLUMN = re.compile(r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"')
_MISSING_TABLE = re.compile(r"Table with name (\S+) does not exist")
_CANDIDATES = re.compile(r'"([^"]+)"')


def page_findings(folder: Path, connection: DuckDBPyConnection | None) -> Iterator[Finding]:
    """What is wrong in the pages of a workflow. `connection` reads the warehouse; None where there is none yet.

    A table that a dbt model of the workflow makes may be missing: nobody has built it yet.
    """
    pages = folder / "evidence" / "pages"
    models = {path.stem for path in (folder / "dbt").rglob("*.sql")}
    for path in sorted(pages.rglob("*.md")):
        try:
            page = read_page(path)
        except UnicodeDecodeError:
            yield Finding("file-unreadable", f"{path.name} is not UTF-8 text.", Place(path))
            continue
        columns: dict[str, list[str]] = {}
        yield from _queries(page, connection, models, columns)
        for component in page.components:
            yield from _component(page, component, columns)
        yield from _links(page, pages)


def _queries(
    page: Page, connection: DuckDBPyConnection | None, models: set[str], columns: dict[str, list[str]]
) -> Iterator[Finding]:
    known = {query.name: query for query in page.queries}
    seen: set[str] = set()
    for query in page.queries:
        if query.name in seen:
            message = f"Two queries of this page are called '{query.name}'."
            yield Finding("query-name-taken", message, place_at(page.path, page.text, query.line - 1, 1))
        seen.add(query.name)
        try:
            sql = _whole(query.sql, known, (query.name,))
        except KeyError as error:
            hint = suggestion(str(error.args[0]), known) or f"There are: {', '.join(known)}."
            place = place_at(page.path, page.text, query.line, 1)
            yield Finding("query-unknown", f"There is no query '{error.args[0]}' on this page.", place, hint)
            continue
        if sql is not None:
            yield from _bind(page, query, sql, connection, models, columns)


def _whole(sql: str, known: Mapping[str, Query], path: tuple[str, ...]) -> str | None:
    """The query with those it refers to in their places; None where it needs what only a browser knows.

    Raises:
        KeyError: with the name that no query has.
    """
    for found in list(_INTERPOLATED.finditer(sql)):
        name = found[1]
        if name.partition(".")[0] in {"inputs", "params"}:
            return None
        if name not in known or name in path:
            raise KeyError(name)
        inner = _whole(known[name].sql, known, (*path, name))
        if inner is None:
            return None
        sql = sql.replace(found[0], f"({inner.strip().rstrip(';')})")
    return sql


def _bind(
    page: Page,
    query: Query,
    sql: str,
    connection: DuckDBPyConnection | None,
    models: set[str],
    columns: dict[str, list[str]],
) -> Iterator[Finding]:
    """Parse, and where there is a warehouse find every table and column, without running anything."""
    import duckdb

    try:
        duckdb.extract_statements(sql)
    except duckdb.ParserException as error:
        yield _told("sql-syntax", page, query, sql, str(error), None)
        return
    if connection is None:
        return
    try:
        described = connection.execute(f"describe ({sql.strip().rstrip(';')})").fetchall()
        columns[query.name] = [row[0] for row in described]
    except duckdb.CatalogException as error:
        missing = _MISSING_TABLE.search(str(error))
        if missing is None:
            yield _told("sql-invalid", page, query, sql, str(error), None)
        elif missing[1] not in models:
            hint = suggestion(missing[1], [*models, *_tables(connection)]) or "Neither the warehouse nor dbt has it."
            yield _told("table-unknown", page, query, sql, str(error), hint)
    except duckdb.BinderException as error:
        column = _MISSING_COLUMN.search(str(error))
        wanted = next(filter(None, column.groups()), "") if column else ""
        candidates = _CANDIDATES.findall(str(error).partition("Candidate bindings:")[2].partition("\n")[0])
        hint = (suggestion(wanted, candidates) or f"Near it: {', '.join(candidates)}.") if candidates else None
        yield _told("column-unknown" if column else "sql-invalid", page, query, sql, str(error), hint)


def _told(rule: str, page: Page, query: Query, sql: str, words_: str, hint: str | None) -> Finding:
    """DuckDB's complaint at its line of the page; where queries are put into each other, at the query's first."""
    reason = words_.partition("\n")[0].partition(": ")[2] or words_
    found = _LINE.search(words_)
    line = int(found[1]) if found and sql == query.sql else 1
    place = place_at(page.path, page.text, query.line + line - 1, 1)
    return Finding(rule, f"The query '{query.name}': {reason}", place, hint)


def _tables(connection: DuckDBPyConnection) -> list[str]:
    return [row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()]


def _component(page: Page, component: Component, columns: Mapping[str, list[str]]) -> Iterator[Finding]:
    if component.name not in components():
        hint = suggestion(component.name, components()) or "See docs.evidence.dev/components."
        message = f"Evidence has no component <{component.name}>."
        yield Finding("component-unknown", message, page.at(component.offset), hint)
        return
    known = {query.name for query in page.queries}
    start = component.offset + 1 + len(component.name)
    data = next((word for name, word, _ in words(component.attributes) if name == "data"), "")
    for name, word, offset in words(component.attributes):
        if name == "data" and word not in known:
            hint = suggestion(word, known) or (f"There are: {', '.join(sorted(known))}." if known else None)
            message = f"<{component.name}> shows '{word}', but no query of this page is called so."
            yield Finding("query-unknown", message, page.at(start + offset), hint)
        elif name in COLUMNS and data in columns and word not in columns[data]:
            hint = suggestion(word, columns[data]) or f"It has: {', '.join(columns[data])}."
            message = f"<{component.name}> takes {name}={word}, but the query '{data}' has no such column."
            yield Finding("column-unknown", message, page.at(start + offset), hint)


def _links(page: Page, pages: Path) -> Iterator[Finding]:
    """Links from page to page. `/name/...` leads to the pages of the workflow `name`; another's are its own matter."""
    own = {_address(path, pages) for path in pages.rglob("*.md")}
    workflow, root = pages.parents[1].name, pages.parents[2]
    for target, offset in page.links:
        address = target.rstrip("/") or "/"
        first, _, rest = address[1:].partition("/")
        elsewhere = first != workflow and bool(first) and (root / first).is_dir()
        if elsewhere or address in own or (first == workflow and f"/{rest}" in own):
            continue
        hint = suggestion(address, own) or f"There are: {', '.join(sorted(own))}."
        yield Finding("link-broken", f"There is no page {address}.", page.at(offset), hint)


def _address(path: Path, pages: Path) -> str:
    """`index.md` is /, `by-day.md` is /by-day."""
    parts = path.relative_to(pages).with_suffix("").parts
    return "/" + "/".join(part for part in parts if part != "index")
