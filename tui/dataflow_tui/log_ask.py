"""The question of the logs view, written and read as the arguments of `dataflow logs`."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, NoReturn

from dataflow.errors import UsageError
from dataflow_tui.selection import LogAsk

if TYPE_CHECKING:
    from dataflow.operations.logs import LogQuery

_OPTIONS = (
    ("--level", "-l", "level"),
    ("--grep", "-g", "grep"),
    ("--exclude", "-x", "exclude"),
    ("--workflow", "-w", "workflow"),
    ("--run", "", "run"),
    ("--since", "", "since"),
)
_TAIL = 1000  # lines of each service that are there at the beginning


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong as any other error."""
        hint = "For example: object-store --level warn --grep timeout"
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", hint=hint)


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("services", nargs="*")
    for name, short, field in _OPTIONS:
        parser.add_argument(*filter(None, (name, short)), dest=field)
    return parser


def read_ask(text: str) -> LogAsk:
    """The question that a line of arguments asks. Raises UsageError."""
    try:
        found = _parser().parse_intermixed_args(shlex.split(text))
    except (ValueError, argparse.ArgumentError) as error:
        raise UsageError(f"This cannot be read: {error}.") from error
    fields = {field: getattr(found, field) for _, _, field in _OPTIONS}
    return LogAsk(tuple(found.services), **fields)


def write_ask(ask: LogAsk) -> str:
    """The arguments of `dataflow logs` that ask the same."""
    words = [*ask.services]
    for name, _, field in _OPTIONS:
        value = getattr(ask, field)
        words += [name, value] if value else []
    return shlex.join(words)


def query_of(ask: LogAsk) -> LogQuery:
    """The operation's own query. Raises UsageError PATTERN_INVALID, LEVEL_UNKNOWN, TIME_INVALID."""
    from dataflow.operations.log_filter import asked
    from dataflow.operations.logs import LogQuery

    wanted = asked(
        grep=[ask.grep] if ask.grep else None,
        exclude=[ask.exclude] if ask.exclude else None,
        ignore_case=False,
        level=ask.level or "info",
        since=ask.since,
        until=None,
        around=None,
        workflow=ask.workflow,
        run=ask.run,
        step=None,
    )
    return LogQuery(ask.services, wanted, None if wanted.narrows else _TAIL)
