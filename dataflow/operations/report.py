"""Render the pages of a workflow as one HTML file that needs no network, no Node and no program but a browser."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dataflow.errors import Action, OperationFailedError, UsageError
from dataflow.models import Finding
from dataflow.operations.context import Context
from dataflow.operations.validate import workflow_folder
from dataflow.operations.warehouses import LIVE, Warehouse, reading
from dataflow.shared.connecting import opened
from dataflow.system.files import write_text
from dataflow.workflows.report.answers import ask, failures
from dataflow.workflows.report.document import Section, compose
from dataflow.workflows.rules.page_text import address, read_page
from dataflow.workflows.rules.pages import page_findings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Rendered:
    """The file, and what is in it. `problems`: what could not be shown, and stands there as a note.

    `stale`: a run holds the warehouse, and this is its snapshot, as of `as_of`.
    """

    workflow: str
    path: Path
    pages: int
    queries: int
    charts: int
    bytes: int
    source: Literal["live", "snapshot"]
    as_of: datetime
    stale: bool
    problems: tuple[Finding, ...]
    seconds: float


def render(context: Context, name: str, *, output: Path | None = None, replace: bool = False) -> Rendered:
    """Run the queries of every page on the published snapshot and write the file, the whole or nothing.

    `output`: where, instead of .dataflow/reports/NAME.html, which is written over.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, PAGES_MISSING, FILE_EXISTS.
        WarehouseError: WAREHOUSE_MISSING, WAREHOUSE_LOCKED (never published).
        OperationFailedError: REPORT_INCOMPLETE, with the result: the file is there, and something in it is not shown.
    """
    began = time.monotonic()
    folder = workflow_folder(context, name)
    path = _path(context, folder.name, output, replace=replace)
    files = _pages(folder)
    warehouse = Warehouse(LIVE, LIVE, context.warehouse)  # a branch, where one is in use
    with reading(warehouse) as read, opened(read.file, read_only=True, wait=0.3) as connection:
        connection.execute("SET python_enable_replacements = false")
        found = list(page_findings(folder, connection))
        sections = _sections(connection, files, folder)
    as_of = read.as_of or datetime.now(UTC)
    document = compose(folder.name, sections, as_of)
    write_text(path, document.html)
    result = Rendered(
        workflow=folder.name,
        path=path,
        pages=len(sections),
        queries=sum(len(section.page.queries) for section in sections),
        charts=document.charts,
        bytes=path.stat().st_size,
        source=read.source,
        as_of=as_of,
        stale=read.stale,
        problems=_problems(found, sections),
        seconds=round(time.monotonic() - began, 2),
    )
    if result.problems:
        raise _incomplete(result)
    return result


def _problems(found: Sequence[Finding], sections: Sequence[Section]) -> tuple[Finding, ...]:
    """What was found before anything ran, and the queries that then did not run for another reason."""
    told = {_subject(one) for one in found}
    failed = [one for section in sections for one in failures(section.page, section.answers)]
    return (*found, *(one for one in failed if _subject(one) not in told))


def _subject(finding: Finding) -> tuple[Path, str]:
    """The page, and the query that the message begins with."""
    return finding.place.path, finding.message.partition(":")[0]


def _path(context: Context, name: str, output: Path | None, *, replace: bool) -> Path:
    if output is None:
        return context.paths.state / "reports" / f"{name}.html"
    if output.exists() and not replace:
        actions = (Action("Write over it", f"dataflow data report {name} --output {output} --replace"),)
        raise UsageError(f"{output} exists.", code="FILE_EXISTS", actions=actions)
    return output.resolve()


def _pages(folder: Path) -> list[Path]:
    """The pages, the first one first."""
    pages = folder / "evidence" / "pages"
    found = sorted(pages.rglob("*.md"), key=lambda path: address(path, pages))
    if not found:
        hint = f"Write one, evidence/pages/index.md below {folder.name}; `dataflow workflow init` makes one."
        raise UsageError(f"The workflow '{folder.name}' has no pages.", code="PAGES_MISSING", hint=hint)
    return found


def _sections(connection: DuckDBPyConnection, files: Sequence[Path], folder: Path) -> list[Section]:
    """Each page with its answers; one that is not UTF-8 text is among the findings."""
    made: list[Section] = []
    for path in files:
        try:
            page = read_page(path)
        except UnicodeDecodeError:
            continue
        made.append(Section(address(path, folder / "evidence" / "pages"), page, ask(connection, page)))
    return made


def _incomplete(result: Rendered) -> OperationFailedError:
    first = result.problems[0]
    message = f"{len(result.problems)} things could not be shown in {result.path}, first: {first.message}"
    actions = (Action("See them all", f"dataflow workflow validate {result.workflow}"),)
    return OperationFailedError(
        message, code="REPORT_INCOMPLETE", hint=first.hint, actions=actions, place=first.place, data=result
    )
