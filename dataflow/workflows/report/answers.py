"""The queries of a page, run on DuckDB."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from dataflow.config.documents import place_at
from dataflow.models import Finding
from dataflow.shared.warehouse_errors import first_line
from dataflow.workflows.rules.page_text import Page, Query, whole

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 5000  # in a file that a person looks at; what is more belongs into the query


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of a query, at most MOST_ROWS. `truncated`: there are more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool

    def values(self, column: str) -> list[Any]:
        """A column from top to bottom. Raises ValueError where there is none."""
        index = self.columns.index(column)
        return [row[index] for row in self.rows]

    @property
    def numeric(self) -> tuple[str, ...]:
        """The columns that hold numbers."""
        return tuple(name for name in self.columns if any(is_number(value) for value in self.values(name)))


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why a query has no rows to show."""

    reason: str


Answers = dict[str, Answer | Unanswered]


def ask(connection: DuckDBPyConnection, page: Page) -> Answers:
    """Every query of a page. One that fails, or that needs what only a browser knows, is told instead of its rows."""
    known = {query.name: query for query in page.queries}
    return {name: _ask(connection, query, known) for name, query in known.items()}


def failures(page: Page, answers: Answers) -> Iterator[Finding]:
    """The queries that did not run, at their first lines."""
    for query in page.queries:
        answer = answers[query.name]
        if isinstance(answer, Unanswered) and answer.reason != NEEDS_A_BROWSER:
            place = place_at(page.path, page.text, query.line, 1)
            yield Finding("query-failed", f"The query '{query.name}': {answer.reason}", place)


NEEDS_A_BROWSER = "It depends on an input of the page, which only Evidence has."


def _ask(connection: DuckDBPyConnection, query: Query, known: dict[str, Query]) -> Answer | Unanswered:
    import duckdb

    try:
        sql = whole(query.sql, known, (query.name,))
    except KeyError as error:
        return Unanswered(f"There is no query '{error.args[0]}' on this page.")
    if sql is None:
        return Unanswered(NEEDS_A_BROWSER)
    try:
        found = connection.execute(f"from ({sql.rstrip().rstrip(';')}\n)")
        rows = found.fetchmany(MOST_ROWS + 1)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        return Unanswered(first_line(error))
    columns = tuple(str(column[0]) for column in found.description or ())
    return Answer(columns, tuple(rows[:MOST_ROWS]), len(rows) > MOST_ROWS)


def is_number(value: Any) -> bool:
    """Whether it can be drawn as a height: NaN and infinity cannot."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value)


def is_time(value: Any) -> bool:
    """Whether it is a day or a time of a day."""
    return isinstance(value, date | datetime)
