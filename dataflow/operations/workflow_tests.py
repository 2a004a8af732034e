"""Run the tests of workflows: pytest, on warehouses of the tests' own, and what it found."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

from dataflow.errors import Action, ChecksFailedError, OperationFailedError, UsageError
from dataflow.events import Noted, Report
from dataflow.operations.context import Context
from dataflow.operations.workflows import find_workflow
from dataflow.system.process import streaming
from dataflow.workflows.discovery import folders

Outcome = Literal["passed", "failed", "skipped"]
_BEAT = 1.0
_NOTHING_COLLECTED = 5  # pytest's exit code
_OUTCOMES: dict[str, Outcome] = {"failure": "failed", "error": "failed", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """One test. `message`: the last line of why it failed or was skipped."""

    workflow: str
    name: str
    outcome: Outcome
    seconds: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Every test that ran, and the workflows that have none."""

    tests: tuple[CaseOutcome, ...]
    without: tuple[str, ...]
    seconds: float

    @property
    def failed(self) -> tuple[CaseOutcome, ...]:
        """Those that failed."""
        return tuple(test for test in self.tests if test.outcome == "failed")


def run_tests(
    context: Context, names: Sequence[str], report: Report, *, only: str | None = None, quiet: bool = False
) -> SuiteResult:
    """Run the tests of these workflows, of all where none is named. `only`: an expression of pytest's `-k`.

    What pytest prints is reported line by line, unless `quiet`.

    Raises:
        UsageError: WORKFLOW_UNKNOWN; TESTS_MISSING, there are none to run.
        ChecksFailedError: TESTS_FAILED, with the result.
        OperationFailedError: TESTS_BROKEN; pytest itself could not go on.
    """
    began = time.monotonic()
    chosen = [_folder(context, name) for name in names] or folders(context.paths.workflows)
    with_tests = [folder for folder in chosen if any((folder / "tests").rglob("test_*.py"))]
    if not with_tests:
        hint = "Tests are files workflows/NAME/tests/test_*.py; `dataflow workflow init` makes a workflow with some."
        raise UsageError("There are no tests to run.", code="TESTS_MISSING", hint=hint)
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "found.xml"
        code = _run(context.paths.root, [folder / "tests" for folder in with_tests], found, report, only, quiet)
        tests = tuple(_outcomes(found)) if found.exists() else ()
    without = tuple(folder.name for folder in chosen if folder not in with_tests)
    result = SuiteResult(tests, without, round(time.monotonic() - began, 2))
    _raise_unless_good(result, code)
    return result


def _folder(context: Context, name: str) -> Path:
    """By the folder's name first: a workflow that does not load may have tests that say why."""
    folder = context.paths.workflows / name
    return folder if folder in folders(context.paths.workflows) else find_workflow(context, name).folder


def _run(root: Path, places: Sequence[Path], found: Path, report: Report, only: str | None, quiet: bool) -> int:
    options = ["-q", "--disable-warnings", "--show-capture=stdout", f"--rootdir={root}", f"--junit-xml={found}"]
    options += [
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
    ]  # files may be called alike; nothing is left behind
    chosen = ["-k", only] if only else []
    command = [sys.executable, "-m", "pytest", *options, *chosen, *map(str, places)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATAFLOW_", "DAGSTER_"))}
    with streaming(command, cwd=root, env={**environment, "PYTHONDONTWRITEBYTECODE": "1"}) as pytest:
        for line in pytest.lines(beat=_BEAT):
            if line and not quiet:
                report(Noted(line))
        return pytest.wait()


def _outcomes(found: Path) -> Iterator[CaseOutcome]:
    """Out of pytest's JUnit file, which it wrote itself just now."""
    for case in ET.parse(found).getroot().iter("testcase"):  # noqa: S314 - our own file
        told = next((child for child in case if child.tag in _OUTCOMES), None)
        # A file that cannot be imported is a case without a class, called as the module.
        module, name = case.get("classname") or case.get("name", ""), case.get("name", "")
        yield CaseOutcome(
            workflow=module.removeprefix("workflows.").partition(".")[0],
            name=name if case.get("classname") else f"{name.rpartition('.')[2]}.py",
            outcome=_OUTCOMES[told.tag] if told is not None else "passed",
            seconds=float(case.get("time", 0)),
            message=_words(told) if told is not None else None,
        )


def _words(told: ET.Element) -> str | None:
    """What pytest says, in one line; of a file that cannot be imported the exception."""
    said = [line[1:].strip() for line in (told.text or "").splitlines() if line.startswith("E  ")]
    lines = (said[-1:] if told.get("message") == "collection failure" else []) or (told.get("message") or "").split(
        "\n"
    )
    return lines[0].strip() or None


def _raise_unless_good(result: SuiteResult, code: int) -> None:
    if result.failed:
        first = result.failed[0]
        message = f"{len(result.failed)} of {len(result.tests)} tests failed, first {first.name} of {first.workflow}."
        actions = (
            Action("Run it alone", f"dataflow workflow test {first.workflow} --only {first.name.split('[')[0]}"),
        )
        raise ChecksFailedError(message, code="TESTS_FAILED", hint=first.message, data=result, actions=actions)
    if code == _NOTHING_COLLECTED:
        raise UsageError("No test is called so.", code="TESTS_MISSING", hint="`--only` takes what pytest's -k takes.")
    if code:
        raise OperationFailedError(f"pytest ended with exit code {code}.", code="TESTS_BROKEN", hint="See its lines.")
