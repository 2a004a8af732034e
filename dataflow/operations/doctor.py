"""Check the machine and the project, and put right what is safe to put right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataflow.errors import DataflowError, MissingError
from dataflow.events import Noted, Report
from dataflow.models import EngineChoice
from dataflow.operations.audit import audited
from dataflow.operations.checks.every import Key, Look, choose
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import State, Verdict, skipped
from dataflow.operations.context import Context
from dataflow.shared.masking import mask
from dataflow.system.files import exclusive

SECONDS = 2.4
"""Together with the start of the program, three seconds: what has no answer by then is said to have none."""


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """`only`: groups or checks; empty for all. `fix`: carry out what is safe."""

    only: tuple[str, ...] = ()
    fix: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding of a check; `about` is which of several things. `fixable`: `--fix` cures it; `fixed`: what it did."""

    name: str
    group: str
    state: State
    message: str
    hint: str | None = None
    command: str | None = None
    about: str = ""
    fixable: bool = False
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """How many findings of each state."""

    passed: int
    warnings: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """All findings. `project` and `engine` are None where there is none, or where it cannot be told."""

    project: Path | None
    engine: EngineChoice | None
    checks: tuple[CheckResult, ...]
    summary: Summary
    seconds: float


@dataclass(frozen=True, slots=True)
class _Found:
    """A verdict with the check it comes from."""

    group: str
    name: str
    verdict: Verdict
    fixed: str | None = None

    @property
    def key(self) -> Key:
        """Which check."""
        return self.group, self.name


def doctor(context: Context | None, options: DoctorOptions, report: Report) -> DoctorResult:
    """Check everything, or what was named. What is wrong is the result, not an error. Without a project, the machine.

    Raises:
        UsageError: CHECK_UNKNOWN.
    """
    began = time.monotonic()
    chosen = choose(options.only)
    subject = Subject(context)
    found = _look(subject, chosen)
    if options.fix and context:
        found = _fix(context, found, report)
    results = tuple(_result(one) for one in found)
    engine = _quiet(subject.choice) if context else None
    root = context.paths.root if context else None
    return DoctorResult(root, engine, results, _summary(results), round(time.monotonic() - began, 2))


def _look(subject: Subject, chosen: dict[Key, Look]) -> list[_Found]:
    """All checks at the same time, in threads that nobody waits for when they hang."""
    answers: dict[Key, list[Verdict]] = {}

    def ask(key: Key) -> None:
        answers[key] = _answer(chosen[key], subject)

    threads = [threading.Thread(target=ask, args=(key,), daemon=True) for key in chosen]
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = [Verdict("warn", f"There was no answer within {SECONDS:g} seconds.", "Try it alone, or later.")]
    return [_Found(*key, verdict) for key in chosen for verdict in answers.get(key, late)]


def _answer(look: Look, subject: Subject) -> list[Verdict]:
    """What a check finds; one that cannot be done says why."""
    try:
        found = look(subject)
    except DataflowError as error:
        return [skipped(f"It cannot be checked: {error.message}")]
    except OSError as error:
        return [skipped(f"It cannot be checked: {error.strerror or error}.")]
    return found if isinstance(found, list) else [found]


def _fix(context: Context, found: list[_Found], report: Report) -> list[_Found]:
    """Look again at what can be put right while nobody else works on the platform, and put it right."""
    curable = {one.key for one in found if one.verdict.cure}
    if not curable:
        return found
    chosen = {key: look for key, look in choose(()).items() if key in curable}
    try:
        with exclusive(context.paths.run / "lock", what="This platform"):
            now = _look(Subject(context, locked=True), chosen)
            done = {
                key: [what for one in now if one.key == key and (what := _cure(context, one, report))] for key in chosen
            }
            after = _look(Subject(Context(context.paths), locked=True), chosen)
    except MissingError as error:
        report(Noted(f"Nothing was changed: {error.message}", warning=True))
        return found
    return [one for key in dict.fromkeys(one.key for one in found) for one in _merged(key, found, after, done)]


def _merged(key: Key, found: list[_Found], after: list[_Found], done: dict[Key, list[str]]) -> list[_Found]:
    """The findings of one check after all: those before, or the new ones with what was done."""
    words = "; ".join(done.get(key, ())) or None
    return [replace(one, fixed=words) for one in (after if key in done else found) if one.key == key]


def _cure(context: Context, one: _Found, report: Report) -> str | None:
    """Carry out a cure, with a line in the audit log; what was done. What fails is told, and stays as it is."""
    cure = one.verdict.cure
    if cure is None:
        return None
    try:
        with audited(context, "doctor", cure.what):
            cure.do(report)
    except DataflowError as error:
        report(Noted(f"{one.name} could not be put right: {error.message}", warning=True))
        return None
    report(Noted(f"{one.name}: {cure.what}."))
    return cure.what


def _result(one: _Found) -> CheckResult:
    verdict = one.verdict
    hint = mask(verdict.hint) if verdict.hint else None
    return CheckResult(
        one.name,
        one.group,
        verdict.state,
        mask(verdict.message),
        hint,
        verdict.command,
        verdict.about,
        verdict.cure is not None,
        one.fixed,
    )


def _summary(results: Sequence[CheckResult]) -> Summary:
    count = [sum(one.state == state_ for one in results) for state_ in ("pass", "warn", "fail", "skipped")]
    return Summary(*count)


def _quiet(ask: Callable[[], EngineChoice]) -> EngineChoice | None:
    try:
        return ask()
    except (DataflowError, OSError):
        return None  # a check has told why
