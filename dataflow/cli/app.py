"""The root of the command line: a table of names, so that help and completion import nothing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dataflow import __version__
from dataflow.cli.frame import LazyGroup

_STACK = "dataflow.cli.stack"
_PROJECT = "dataflow.cli.project"
_ENGINE = "dataflow.cli.engine"

COMMANDS: dict[str, tuple[str, str]] = {
    "init": (_PROJECT, "Make a project that works at once."),
    "up": (_STACK, "Bring the platform up and wait until it is healthy."),
    "down": (_STACK, "Take the platform down; data, history and logs are kept."),
    "start": (_STACK, "Start services and what they depend on."),
    "stop": (_STACK, "Stop services."),
    "restart": (_STACK, "Restart services."),
    "status": (_STACK, "Show services, workflows and data at a glance."),
    "why": ("dataflow.cli.why", "Show the root cause of what does not work."),
    "tui": ("dataflow.cli.tui", "Show the dashboard: services, logs, workflows, data and alerts in one place."),
    "logs": ("dataflow.cli.logs", "Show, search and follow the logs of services and runs."),
    "open": (_STACK, "Open a service's page in the browser."),
    "exec": (_STACK, "Run a command in the environment of the project's code."),
    "workflow": ("dataflow.cli.workflow", "Start, test, run and watch workflows."),
    "dbt": ("dataflow.cli.dbt", "Build, test and document the dbt models of workflows."),
    "ci": ("dataflow.cli.ci", "Check, test and run everything on a copy, as CI does."),
    "data": ("dataflow.cli.data", "Look into the warehouse, and load files into it."),
    "storage": ("dataflow.cli.storage", "List, put, get and remove objects."),
    "config": ("dataflow.cli.config", "Show and check the configuration."),
    "backup": ("dataflow.cli.backup", "Back up and restore everything as one unit."),
    "alerts": ("dataflow.cli.alerts", "See, acknowledge and silence alerts."),
    "doctor": ("dataflow.cli.doctor", "Check the machine and the project, and say what helps."),
    "support": ("dataflow.cli.support", "Write what helps others to help into one file, without a secret."),
    "engine": (_ENGINE, "Show what runs the services, and move to the other engine."),
    "upgrade": ("dataflow.cli.upgrade", "Fetch newer images, and return to the old ones if they fail."),
    "schema": (_PROJECT, "Print the JSON Schema of a command's result."),
    "completion": (_PROJECT, "Print the completion script of a shell."),
}


class Root(LazyGroup):
    """`dataflow`."""

    table = COMMANDS


def _version(value: bool) -> None:
    if value:
        typer.echo(f"dataflow {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A whole data platform from one command.

    Start with `dataflow init my-platform`, then `dataflow up` inside it.
    """


def root() -> Root:
    """The root command."""
    from typer.completion import completion_init  # pyright: ignore[reportPrivateImportUsage] - what add_completion does

    completion_init()
    app = typer.Typer(
        cls=Root,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    group: Any = typer.main.get_group(app)
    return group
