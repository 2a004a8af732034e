"""Go to a service: its page in a browser, or a command in the environment of the project's code."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.config.catalog import require
from dataflow.errors import Action, MissingError, UsageError
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.services import require_known, statuses
from dataflow.system.process import interact


@dataclass(frozen=True, slots=True)
class Page:
    """Where a service's page is."""

    service: str
    url: str


def page_of(context: Context, service: str | None) -> Page:
    """The page of a service, Dagster's where none is named.

    Raises:
        UsageError: SERVICE_UNKNOWN, NO_PAGE.
        MissingError: SERVICE_DOWN.
    """
    name = service or WEBSERVER
    require(context.catalog, name)
    url = context.url(name)
    if url is None:
        pages = ", ".join(spec.name for spec in context.catalog.values() if spec.url)
        raise UsageError(f"{name} has no page.", code="NO_PAGE", hint=f"These have one: {pages}.")
    now = next((status for status in statuses(context, usage=False) if status.name == name), None)
    if now is None or now.state != "running":
        actions = (Action("Start it", f"dataflow start {name}"),)
        raise MissingError(f"{name} does not run.", code="SERVICE_DOWN", actions=actions)
    return Page(name, url)


def execute(context: Context, command: tuple[str, ...], *, service: str | None = None) -> int:
    """Run a command where the project's code runs, or in a service's container; its exit code.

    Raises:
        UsageError: SERVICE_UNKNOWN.
        MissingError: PROGRAM_MISSING, SERVICE_DOWN.
    """
    if service:
        require_known(context, service)
    engine = context.engine
    return interact(engine.code_command(command, service), env=engine.environment(), cwd=context.paths.root)
