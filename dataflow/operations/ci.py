"""Everything that decides whether a change is good, on a copy of the project with a platform of its own.

The project itself, its warehouse and a platform that is up are left alone: the copy has its own, with other ports, and
is removed in the end.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dataflow.config.paths import ProjectPaths
from dataflow.errors import Action, ChecksFailedError, DataflowError
from dataflow.events import Report, StepChanged, ignore
from dataflow.models import WorkflowInfo
from dataflow.operations.configuration import check
from dataflow.operations.context import Context
from dataflow.operations.diff import DiffOptions, DiffResult, diff
from dataflow.operations.down import DownOptions, down
from dataflow.operations.follow import follow
from dataflow.operations.run import RunOptions, launch
from dataflow.operations.support import support
from dataflow.operations.up import UpOptions, up
from dataflow.operations.validate import validate_workflows
from dataflow.operations.workflow_tests import CaseOutcome, SuiteResult, run_tests
from dataflow.system.files import mapped_os_errors

StepState = Literal["passed", "failed", "skipped"]
_NOT_COPIED = (".dataflow", ".git", ".venv", "venv", "node_modules", "__pycache__", "*.egg-info", "site", "dist")
_BASE = "base.duckdb"


@dataclass(frozen=True, slots=True)
class CiOptions:
    """`base`: a warehouse to compare with, as `data diff` names it. `exact`: a difference to it is a failure."""

    workflows: tuple[str, ...] = ()
    base: str | None = None
    exact: bool = False
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class CiStep:
    """One step, and why it failed or was skipped. `cases`: the tests of workflows."""

    name: str
    state: StepState
    seconds: float = 0.0
    message: str | None = None
    code: str | None = None
    cases: tuple[CaseOutcome, ...] = ()


@dataclass(frozen=True, slots=True)
class CiResult:
    """What every step came to. `bundle`: written where a step failed, for whoever looks into it."""

    project: str
    steps: tuple[CiStep, ...]
    diff: DiffResult | None
    bundle: Path | None
    seconds: float

    @property
    def failed(self) -> tuple[CiStep, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.state == "failed")


def run_ci(context: Context, options: CiOptions, folder: Path, report: Report) -> CiResult:
    """Check, test, bring up, run every workflow, compare, and take down. `folder` gets the bundle of a failure.

    Raises:
        UsageError: WORKFLOW_UNKNOWN, WAREHOUSE_UNKNOWN.
        OperationFailedError: DISK_FULL, NOT_WRITABLE.
    """
    began = time.monotonic()
    with mapped_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _copy(context, options.base) as copy:
        course = _Course(context.paths.root, copy, options, folder, report)
        course.run()
    seconds = round(time.monotonic() - began, 1)
    return CiResult(context.name, tuple(course.steps), course.diff, course.bundle, seconds)


def raise_unless_good(result: CiResult, summary: Path) -> None:
    """Raises ChecksFailedError CI_FAILED with the first reason."""
    if not result.failed:
        return
    first = result.failed[0]
    message = f"{len(result.failed)} of {len(result.steps)} steps failed, first '{first.name}': {first.message}"
    bundle = [Action("See logs and state of the failure", f"tar -tzf {result.bundle}")] if result.bundle else []
    actions = (Action("Read the summary", f"less {summary}"), *bundle)
    raise ChecksFailedError(message, code="CI_FAILED", actions=actions, data=result)


@dataclass(slots=True)
class _Course:
    """The steps in their order; each notes how it went, and later ones look at that."""

    root: Path
    copy: Context
    options: CiOptions
    folder: Path
    report: Report
    steps: list[CiStep] = field(default_factory=list[CiStep])
    diff: DiffResult | None = None
    bundle: Path | None = None

    def run(self) -> None:
        good = self._step("configuration", self._check_configuration)
        good = self._step("validate", self._validate) and good
        self._step("tests", self._test, needs=good)
        infos = self._infos() if good else ()
        try:
            running = self._step("up", lambda: _done(up(self.copy, self._up_options(), ignore)), needs=good)
            for info in infos:
                self._step(f"run {info.name}", lambda info=info: self._run(info), needs=running)
            if self.options.base:
                self._step("compare", self._compare, needs=running)
            if any(step.state == "failed" for step in self.steps):
                self.bundle = support(self.copy, self.folder, ignore).path
        finally:
            self._step("down", lambda: _done(down(self.copy, DownOptions(), ignore)))

    def _step(self, name: str, work: Callable[[], tuple[CaseOutcome, ...]], *, needs: bool = True) -> bool:
        if not needs:
            self._note(CiStep(name, "skipped", message="A step before it failed."))
            return False
        began = time.monotonic()
        try:
            cases = work()
        except DataflowError as error:
            cases = error.data.tests if isinstance(error.data, SuiteResult) else ()
            self._note(CiStep(name, "failed", _since(began), self._words(error), error.code, cases))
            return False
        self._note(CiStep(name, "passed", _since(began), cases=cases))
        return True

    def _note(self, step: CiStep) -> None:
        self.steps.append(step)
        states: dict[StepState, Literal["done", "failed", "skipped"]] = {"passed": "done", "failed": "failed"}
        self.report(StepChanged(step.name, states.get(step.state, "skipped"), step.message or "", step.seconds))

    def _words(self, error: DataflowError) -> str:
        """Paths as people know them: of the project, not of its copy."""
        place = f" at {error.place}" if error.place else ""
        hint = f" {error.hint}" if error.hint else ""
        return f"{error.message}{place}{hint}".replace(str(self.copy.paths.root), str(self.root))

    def _infos(self) -> tuple[WorkflowInfo, ...]:
        wanted = self.options.workflows
        return tuple(info for info in self.copy.workflows.workflows if not wanted or info.name in wanted)

    def _up_options(self) -> UpOptions:
        return UpOptions(timeout=self.options.timeout)

    def _check_configuration(self) -> tuple[CaseOutcome, ...]:
        _require_none(check(self.copy).findings)
        return ()

    def _validate(self) -> tuple[CaseOutcome, ...]:
        _require_none(validate_workflows(self.copy, self.options.workflows).errors)
        return ()

    def _test(self) -> tuple[CaseOutcome, ...]:
        if not any(self.copy.paths.workflows.glob("*/tests/**/test_*.py")):
            return ()
        return run_tests(self.copy, self.options.workflows, ignore, quiet=True).tests

    def _run(self, info: WorkflowInfo) -> tuple[CaseOutcome, ...]:
        partition = "last" if info.partitions else None
        follow(self.copy, launch(self.copy, RunOptions(info.name, partition=partition), ignore), ignore)
        return ()

    def _compare(self) -> tuple[CaseOutcome, ...]:
        self.diff = diff(self.copy, str(self.copy.paths.state / _BASE), "live", DiffOptions(), ignore)
        if self.diff.differs and self.options.exact:
            names = ", ".join(one.table for one in self.diff.tables)
            raise ChecksFailedError(f"The data differs from {self.options.base}: {names}.", code="DATA_DIFFERS")
        return ()


@contextmanager
def _copy(context: Context, base: str | None) -> Generator[Context]:
    """A context of a copy of the project, natively and on a warehouse of its own; removed in the end."""
    from dataflow.operations.warehouses import find_warehouse, reading

    with tempfile.TemporaryDirectory(prefix="dataflow-ci-", ignore_cleanup_errors=True) as name:
        root = Path(name) / context.paths.root.name
        with mapped_os_errors(root):
            shutil.copytree(context.paths.root, root, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
        paths = ProjectPaths(root)
        paths.state.mkdir(exist_ok=True)
        if base:
            with reading(find_warehouse(context, base)) as read:
                shutil.copy(read.file, paths.state / _BASE)
        own = {"engine": "native", "warehouse.path": str(paths.state / "warehouse.duckdb")}
        yield Context(paths, own)


def _require_none(findings: Sequence[object]) -> None:
    from dataflow.models import Finding

    found = [one for one in findings if isinstance(one, Finding)]
    if not found:
        return
    first = found[0]
    others = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    message = f"{first.rule}: {first.message}{others}"
    raise ChecksFailedError(message, code="FINDINGS", hint=first.hint, place=first.place)


def _done(_: object) -> tuple[CaseOutcome, ...]:
    return ()


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)
