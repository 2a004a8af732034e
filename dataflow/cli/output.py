"""Where a command's words go: stdout is data, stderr is for people, and `--json` is one envelope."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dataflow.cli.plain import dumps, plain
from dataflow.errors import DataflowError
from dataflow.events import Event, Noted

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.cli.progress import Progress

SCHEMA = "dataflow/1"
_UNFOLDED = 10_000  # in a file or a pipe a row is a line
ResultT = TypeVar("ResultT")


@dataclass
class Output:
    """The options that every command has, and what follows from them."""

    command: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    project_dir: Path | None = None
    warnings: list[str] = field(default_factory=list[str])

    @cached_property
    def console(self) -> Console:
        """stdout, for results."""
        return _console(sys.stdout, no_color=self.no_color)

    @cached_property
    def people(self) -> Console:
        """stderr, for progress and errors."""
        return _console(sys.stderr, no_color=self.no_color)

    @cached_property
    def progress(self) -> Progress:
        """Renders events as they come."""
        from dataflow.cli.progress import Progress

        return Progress(self)

    def report(self, event: Event) -> None:
        """What operations get: tell of an event."""
        if isinstance(event, Noted) and event.warning:
            self.warnings.append(event.message)
        if self.json:
            line = {"schema": SCHEMA, "command": self.command, "event": _name(event), **plain(event)}
            self._write(dumps(line))
        else:
            self.progress.show(event)

    def result(self, data: ResultT, show: Callable[[Console, ResultT], None]) -> None:
        """The command's result: an envelope, or `show` on stdout; nothing with --quiet."""
        if self.json:
            self._envelope("done", data, None)
        elif not self.quiet:
            self.progress.close()
            show(self.console, data)

    def confirm(self, question: str) -> bool:
        """Ask in a terminal; elsewhere nobody says yes."""
        import typer

        if self.json or not sys.stdin.isatty():
            return False
        self.progress.close()
        return typer.confirm(f"{question} Go on?", err=True)

    def warn(self, message: str) -> None:
        """A warning about the result: on stderr, and in the envelope."""
        self.warnings.append(message)
        if not self.json:
            self.progress.show(Noted(message, warning=True))

    def item(self, data: ResultT, show: Callable[[Console, ResultT], None]) -> None:
        """One item of an answer that goes on: a line of JSON, or `show`."""
        if self.json:
            self._write(dumps(data))
        else:
            show(self.console, data)

    def error(self, error: DataflowError) -> None:
        """An error: an envelope on stdout, or words on stderr."""
        if self.json:
            self._envelope("failed", error.data, error)
            return
        from dataflow.cli.errors import show_error

        show_error(self.people, error, verbose=self.verbose)

    def _envelope(self, status: str, data: object, error: DataflowError | None) -> None:
        body: dict[str, Any] = {
            "schema": SCHEMA,
            "command": self.command,
            "status": status,
            "data": plain(data),
            "warnings": self.warnings,
            "error": _plain_error(error) if error else None,
        }
        self._write(dumps(body))

    @staticmethod
    def _write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _console(file: Any, *, no_color: bool) -> Console:
    from rich.console import Console

    wanted = os.environ.get("COLUMNS", "")
    width = None if file.isatty() else int(wanted) if wanted.isdecimal() else _UNFOLDED
    return Console(file=file, no_color=no_color or None, highlight=False, markup=False, width=width, soft_wrap=False)


def _plain_error(error: DataflowError) -> dict[str, Any]:
    place = error.place
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "actions": plain(error.actions),
        "retryable": error.retryable,
        "place": {"path": str(place.path), "line": place.line, "column": place.column} if place else None,
        "findings": plain(getattr(error, "findings", ())),
    }


def _name(event: Event) -> str:
    """StepChanged -> step_changed."""
    name = type(event).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
