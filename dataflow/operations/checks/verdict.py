"""What a check finds: a state, why in words, what to do, and where it is safe, the change that puts it right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from dataflow.errors import DataflowError
from dataflow.events import Report

State = Literal["pass", "warn", "fail", "skipped"]
_GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Cure:
    """A change that takes nothing away that anybody needs. `what` is told when it is done: "chmod 600 .env"."""

    what: str
    do: Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding. `about`: the service, file or image it is about, where a check looks at several."""

    state: State
    message: str
    hint: str | None = None
    command: str | None = None
    about: str = ""
    cure: Cure | None = None


def passed(message: str) -> Verdict:
    """All is well."""
    return Verdict("pass", message)


def skipped(why: str) -> Verdict:
    """It was not looked at."""
    return Verdict("skipped", why)


def judged(error: DataflowError, state: State = "fail") -> Verdict:
    """An error as a finding: its first action is the command."""
    command = error.actions[0].command if error.actions else None
    hint = f"{error.hint or ''} At {error.place}.".strip() if error.place else error.hint
    return Verdict(state, error.message, hint, command)


def amount(number: int) -> str:
    """Bytes for a sentence: 1.5 GB, 300 MB."""
    return f"{number / _GB:.1f} GB" if number >= _GB else f"{number >> 20} MB"


def counted(number: int, thing: str) -> str:
    """1 port, 2 ports."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
