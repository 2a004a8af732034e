"""Go to a service: its page in a browser, or a command in the environment of the project's code."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.config.services import require
from dataflow.errors import Action, MissingError, UsageError
from dataflow.operations.context import WEBSERVER, Context
from dataflow.operations.services import statuses
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
    now = next((status for status in statuses(context, memory=False) if status.name == name), None)
    if now is None or now.state != "running":
        actions = (Action("Start it", f"dataflow start {name}"),)
        raise MissingError(f"{name} does not run.", code="SERVICE_DOWN", actions=actions)
    return Page(name, url)


def execute(context: Context, command: tuple[str, ...]) -> int:
    """Run a command in the project's folder, with the environment of its code; its exit code.

    Raises:
        MissingError: PROGRAM_MISSING.
    """
    return interact(command, env=context.engine.environment(), cwd=context.paths.root)
