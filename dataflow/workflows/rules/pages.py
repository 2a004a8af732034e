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
from dataflow.shared.warehouse_errors import place_in_sql
from dataflow.workflows.rules.components import COLUMNS, PARENTS, components
from dataflow.workflows.rules.page_text import Component, Page, Query, address, read_page, whole, words

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEFORE_SQL = "describe ("
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
        yield from _components(page, columns)
        yield from _expressions(page, columns)
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
            sql = whole(query.sql, known, (query.name,))
        except KeyError as error:
            name = str(error.args[0])
            hint = suggestion(name, known) or f"There are: {', '.join(known)}."
            place = _place_of(page, query, name)
            yield Finding("query-unknown", f"There is no query '{name}' on this page.", place, hint)
            continue
        if sql is not None:
            yield from _bind(page, query, sql, connection, models, columns)


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
        yield _told("sql-syntax", page, query, sql, str(error))
        return
    if connection is None:
        return
    try:
        described = connection.execute(f"{_BEFORE_SQL}{sql.rstrip().rstrip(';')}\n)").fetchall()
        columns[query.name] = [row[0] for row in described]
    except duckdb.CatalogException as error:
        missing = _MISSING_TABLE.search(str(error))
        if missing is None:
            yield _told("sql-invalid", page, query, sql, str(error))
        elif missing[1] not in models:
            hint = suggestion(missing[1], [*models, *_tables(connection)]) or "Neither the warehouse nor dbt has it."
            yield _told("table-unknown", page, query, sql, str(error), hint, missing[1])
    except duckdb.BinderException as error:
        column = _MISSING_COLUMN.search(str(error))
        wanted = next(filter(None, column.groups()), "") if column else ""
        candidates = _CANDIDATES.findall(str(error).partition("Candidate bindings:")[2].partition("\n")[0])
        hint = (suggestion(wanted, candidates) or f"Near it: {', '.join(candidates)}.") if candidates else None
        yield _told("column-unknown" if column else "sql-invalid", page, query, sql, str(error), hint, wanted)
    except duckdb.Error as error:
        yield _told("sql-invalid", page, query, sql, str(error))


def _told(rule: str, page: Page, query: Query, sql: str, told: str, hint: str | None = None, word: str = "") -> Finding:
    """DuckDB's complaint at its place in the page; where queries are put into each other, at the word it is about."""
    reason = told.partition("\n")[0].partition(": ")[2] or told
    drawn = place_in_sql(told)
    if drawn is None or drawn.line is None or drawn.column is None or sql != query.sql:
        place = _place_of(page, query, word)
    else:
        shift = len(_BEFORE_SQL) if rule != "sql-syntax" and drawn.line == 1 else 0
        place = place_at(page.path, page.text, query.line + drawn.line - 1, max(drawn.column - shift, 1))
    return Finding(rule, f"The query '{query.name}': {reason}", place, hint)


def _place_of(page: Page, query: Query, word: str) -> Place:
    """Where a query says the word; its first line where it does not."""
    found = re.search(rf"\b{re.escape(word)}\b", query.sql) if word else None
    before = query.sql[: found.start()] if found else ""
    column = len(before) - (before.rfind("\n") + 1) + 1
    return place_at(page.path, page.text, query.line + before.count("\n"), column)


def _tables(connection: DuckDBPyConnection) -> list[str]:
    return [row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()]


def _components(page: Page, columns: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Each component against those of Evidence, and its columns against its query's, or that of the one around it."""
    data: dict[str, str] = {}
    for component in page.components:
        if component.name not in components():
            hint = suggestion(component.name, components()) or "See docs.evidence.dev/components."
            message = f"Evidence has no component <{component.name}>."
            yield Finding("component-unknown", message, page.at(component.span[0]), hint)
            continue
        own = next((word for name, word, _ in words(component.attributes) if name == "data"), "")
        data[component.name] = own
        yield from _attributes(page, component, own or data.get(PARENTS.get(component.name, ""), ""), columns)


def _attributes(page: Page, component: Component, data: str, columns: Mapping[str, list[str]]) -> Iterator[Finding]:
    known = {query.name for query in page.queries}
    start = component.span[0] + 1 + len(component.name)
    for name, word, offset in words(component.attributes):
        place = page.at(start + offset)
        if name == "data" and word == data and word not in known:
            hint = suggestion(word, known) or (f"There are: {', '.join(sorted(known))}." if known else None)
            message = f"<{component.name}> shows '{word}', but no query of this page is called so."
            yield Finding("query-unknown", message, place, hint)
        elif _names_column(component, name) and data in columns and not (word.isdigit() or word in columns[data]):
            hint = suggestion(word, columns[data]) or f"It has: {', '.join(columns[data])}."
            message = f"<{component.name}> takes {name}={word}, but the query '{data}' has no such column."
            yield Finding("column-unknown", message, place, hint)


def _names_column(component: Component, attribute: str) -> bool:
    return attribute in COLUMNS or (component.name == "Column" and attribute == "id")


def _expressions(page: Page, columns: Mapping[str, list[str]]) -> Iterator[Finding]:
    """`{query[0].column}` in the text."""
    known = {query.name for query in page.queries}
    for one in page.expressions:
        place = page.at(one.span[0] + 1)
        if one.query not in known:
            hint = suggestion(one.query, known) or (f"There are: {', '.join(sorted(known))}." if known else None)
            yield Finding("query-unknown", f"The text shows '{one.query}', but no query is called so.", place, hint)
        elif one.column and one.query in columns and one.column not in columns[one.query]:
            hint = suggestion(one.column, columns[one.query]) or f"It has: {', '.join(columns[one.query])}."
            message = f"The text shows '{one.column}', but the query '{one.query}' has no such column."
            yield Finding("column-unknown", message, place, hint)


def _links(page: Page, pages: Path) -> Iterator[Finding]:
    """Links from page to page. `/name/...` leads to the pages of the workflow `name`; another's are its own matter."""
    own = {address(path, pages) for path in pages.rglob("*.md")}
    workflow, root = pages.parents[1].name, pages.parents[2]
    for target, offset in page.links:
        wanted = target.rstrip("/") or "/"
        first, _, rest = wanted[1:].partition("/")
        elsewhere = first != workflow and bool(first) and (root / first).is_dir()
        if elsewhere or wanted in own or (first == workflow and f"/{rest}" in own):
            continue
        hint = suggestion(wanted, own) or f"There are: {', '.join(sorted(own))}."
        yield Finding("link-broken", f"There is no page {wanted}.", page.at(offset), hint)
