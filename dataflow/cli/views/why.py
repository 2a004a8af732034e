"""Causes for people: the cause in bold, the evidence indented, then the commands."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from dataflow.cli.views.logs import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from dataflow.operations.causes.model import Fact, Problem, Subject
    from dataflow.operations.why import WhyResult

_SHORT = 8
_PLURAL = {"service": "services", "workflow": "workflows", "run": "runs", "asset": "assets", "platform": "platform"}


def show_why(console: Console, result: WhyResult) -> None:
    """All problems, causes first; or that there is none."""
    if not result.problems:
        what = f"{result.subject.kind} {_name(result.subject)}" if result.subject else result.project
        console.print(f"Nothing is wrong with {what}.")
    for number, problem in enumerate(result.problems):
        if number:
            console.print()
        _show_problem(console, problem)
    for note in result.notes:
        console.print(f"note: {printable(note)}")


def _show_problem(console: Console, problem: Problem) -> None:
    from rich.text import Text

    console.print(Text(_line(problem.summary), "bold"))
    subject = problem.subject
    console.print(Text.assemble(f"{subject.kind} {_name(subject)} · ", (problem.cause, "bold red")))
    _show_evidence(console, problem.evidence)
    if problem.ruled_out:
        _show_rows(console, (("ruled out", text) for text in problem.ruled_out))
    if problem.affects:
        _show_rows(console, [("suffering", _listed(problem.affects))])
    for action in problem.actions:
        console.print(Text.assemble(f"  {action.label}: ", (action.command, "bold cyan")), soft_wrap=True)


def _show_evidence(console: Console, evidence: Iterable[Fact]) -> None:
    _show_rows(console, ((fact.label, _told(fact)) for fact in evidence))


def _told(fact: Fact) -> str:
    """A fact's text, after who wrote it and when."""
    time = f"{fact.time.astimezone():%m-%d %H:%M:%S} " if fact.time and fact.service else ""
    who = f"{fact.service} | " if fact.service else ""
    since = f" ({fact.time.astimezone():%m-%d %H:%M:%S})" if fact.time and not fact.service else ""
    return f"{time}{who}{printable(fact.text)}{since}"


def _show_rows(console: Console, rows: Iterable[tuple[str, str]]) -> None:
    """Labels and texts in two columns; a label that is the one before is not repeated."""
    from rich.table import Table
    from rich.text import Text

    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(width=15)
    made.add_column(overflow="fold")
    for label, group in groupby(rows, key=lambda row: row[0]):
        for number, (_, text) in enumerate(group):
            made.add_row(Text("" if number else f"  {label}", "dim"), Text(text))
    console.print(made)


def _listed(subjects: Iterable[Subject]) -> str:
    """Names by kind: services web, api; workflow sales."""
    ordered = sorted(subjects, key=lambda subject: list(_PLURAL).index(subject.kind))
    parts: list[str] = []
    for kind, group in groupby(ordered, key=lambda subject: subject.kind):
        names = [_name(subject) for subject in group]
        parts.append(f"{kind if len(names) == 1 else _PLURAL[kind]} {', '.join(names)}")
    return "; ".join(parts)


def _name(subject: Subject) -> str:
    return subject.name[:_SHORT] if subject.kind == "run" else subject.name


def _line(text: str) -> str:
    return " ".join(printable(text).split())
