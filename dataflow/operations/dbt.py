"""dbt over the projects of workflows, without a run: build and test while one writes SQL, docs, and macros.

It is dbt itself, with the variables that the workflow gives it and everything that it writes under
`.dataflow/dbt/<workflow>/`. The warehouse has one writer: a run that writes just now is waited for.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dataflow.errors import Action, ChecksFailedError, OperationFailedError, UsageError
from dataflow.events import Noted, Report
from dataflow.models import DbtInfo, WorkflowInfo
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.dbt_results import DbtNode, event_of, nodes_of
from dataflow.operations.workflows import find_workflow, list_workflows
from dataflow.system.process import Completed, find_program, streaming
from dataflow.workflows.dbt import PARTIAL_PARSE, QUIET, STRICT, complaint, errors_in, forget_old

_OPTIONS = ("--log-format", "json", *QUIET[1:], *STRICT)
_BEAT = 1.0
_BROKEN = 2  # dbt's exit code where it could not begin


@dataclass(frozen=True, slots=True)
class DbtOptions:
    """`changed`: only what differs from the last build that succeeded, and what is made of it. `words`: dbt's own."""

    command: Literal["build", "test"]
    workflows: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    changed: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DbtResult:
    """Every node that dbt came to."""

    command: str
    workflows: tuple[str, ...]
    nodes: tuple[DbtNode, ...]
    seconds: float

    def count(self, state: str) -> int:
        """How many nodes ended so."""
        return sum(node.state == state for node in self.nodes)


@dataclass(frozen=True, slots=True)
class DbtDocs:
    """A page of one file with the documentation of a workflow's models."""

    workflow: str
    page: Path


@dataclass(frozen=True, slots=True)
class MacroResult:
    """A macro that ran, with what it logged."""

    workflow: str
    macro: str
    lines: tuple[str, ...]


def run(context: Context, options: DbtOptions, report: Report) -> DbtResult:
    """Build or test the models of workflows, of all that have some where none is named.

    Raises:
        UsageError: WORKFLOW_UNKNOWN; DBT_NONE where there is no dbt project.
        ConfigurationError: DBT_INVALID with dbt's own words, file and line.
        ChecksFailedError: CHECKS_FAILED where tests did not hold, with the result.
        OperationFailedError: DBT_FAILED where a model could not be built, with the result.
        WarehouseError: WAREHOUSE_LOCKED.
    """
    began = time.monotonic()
    infos = _with_dbt(context, options.workflows)
    nodes: list[DbtNode] = []
    with audited(context, f"dbt {options.command}", ", ".join(info.name for info in infos)):
        for info in infos:
            nodes += _one(context, info, options, report)
    names = tuple(info.name for info in infos)
    result = DbtResult(options.command, names, tuple(nodes), round(time.monotonic() - began, 2))
    _raise_unless_good(result)
    return result


def docs(context: Context, name: str, report: Report) -> DbtDocs:
    """Write the documentation of a workflow's models as one page. Raises as `run` does."""
    info = _with_dbt(context, (name,))[0]
    target = _target(context, info)
    code, said = _dbt(context, info, ["docs", "generate", "--static"], target, report)
    _require_begun(info, code, said)
    page = context.paths.state / "dbt" / info.name / "docs.html"
    shutil.copy(target / "static_index.html", page)
    return DbtDocs(info.name, page)


def run_macro(context: Context, name: str, macro: str, arguments: str, report: Report) -> MacroResult:
    """Run a macro of a workflow's dbt project. `arguments`: YAML or JSON. Raises as `run` does."""
    info = _with_dbt(context, (name,))[0]
    with audited(context, "dbt run-operation", f"{name} {macro}"):
        _await_writer(context)
        words = ["run-operation", macro, "--args", arguments]
        code, said = _dbt(context, info, words, _target(context, info), report)
        if code:
            reason = " ".join(next(errors_in("\n".join(said)), f"dbt ended with exit code {code}").split())
            raise OperationFailedError(f"The macro {macro} of {info.name} failed: {reason}", code="DBT_FAILED")
        _publish(context)
    return MacroResult(info.name, macro, tuple(_logged(said)))


def _one(context: Context, info: WorkflowInfo, options: DbtOptions, report: Report) -> list[DbtNode]:
    folder, target = context.paths.state / "dbt" / info.name, _target(context, info)
    last = folder / "built"
    words = [options.command, *options.words]
    if options.changed and (last / "manifest.json").is_file():
        words += ["--select", "state:modified+", "--state", str(last)]
    words += [word for text in options.select for word in ("--select", text)]
    words += [word for text in options.exclude for word in ("--exclude", text)]
    _await_writer(context)
    report(Noted(f"dbt {options.command} of {info.name}"))
    code, said = _dbt(context, info, words, target, report)
    nodes = list(nodes_of(info.name, target, context.warehouse))
    if not nodes:
        _require_begun(info, code, said)
    if options.command == "build":
        _publish(context)
        if code == 0:
            last.mkdir(exist_ok=True)
            shutil.copy(target / "manifest.json", last / "manifest.json")
    return nodes


def _dbt(
    context: Context, info: WorkflowInfo, words: Sequence[str], target: Path, report: Report
) -> tuple[int, list[str]]:
    """Run dbt to its end. Returns its exit code and its lines."""
    project = _dbt_of(info)
    folder, into = str(project.folder), str(target)
    paths = ("--project-dir", folder, "--profiles-dir", folder, "--target-path", into, "--log-path", into)
    command = [find_program("dbt") or "dbt", *_OPTIONS, *words, "--vars", project.variables, *paths]
    said: list[str] = []
    with streaming(command, cwd=project.folder, env=_environment(context)) as dbt:
        for line in dbt.lines(beat=_BEAT):
            if line is None:
                continue
            said.append(line)
            event = event_of(line)
            if event:
                report(event)
        return dbt.wait(), said


def _target(context: Context, info: WorkflowInfo) -> Path:
    """A folder for what dbt writes, with the project as it was parsed last: dbt then parses only what changed."""
    folder = context.paths.state / "dbt" / info.name
    target = folder / "commands" / uuid.uuid4().hex[:8]
    target.mkdir(parents=True)
    parsed = sorted((folder / "parsed").glob(f"*/{PARTIAL_PARSE}"), key=lambda path: path.stat().st_mtime)
    if parsed:
        shutil.copy(parsed[-1], target / PARTIAL_PARSE)
    forget_old(target.parent)
    return target


def _environment(context: Context) -> Mapping[str, str]:
    return {**context.native.environment(), "PYTHONUNBUFFERED": "1"}


def _with_dbt(context: Context, names: Sequence[str]) -> list[WorkflowInfo]:
    infos = [find_workflow(context, name) for name in names] or list(list_workflows(context).workflows)
    found = [info for info in infos if info.dbt]
    if names and len(found) < len(infos):
        name = next(info.name for info in infos if not info.dbt)
        raise UsageError(f"{name} has no dbt project.", code="DBT_NONE", hint="One is the folder `dbt` of a workflow.")
    if not found:
        hint = "`dataflow workflow init NAME --template dbt` makes a workflow with one."
        raise UsageError("No workflow has a dbt project.", code="DBT_NONE", hint=hint)
    return found


def _dbt_of(info: WorkflowInfo) -> DbtInfo:
    if info.dbt is None:
        raise AssertionError("only workflows with a dbt project come here")
    return info.dbt


def _await_writer(context: Context) -> None:
    """Dbt opens the warehouse at once or fails: wait for a run that writes. Raises WarehouseError WAREHOUSE_LOCKED."""
    from dataflow.shared import db

    with db.write_connection(context.warehouse, wait=context.loaded.settings.warehouse.lock_wait):
        pass


def _publish(context: Context) -> None:
    from dataflow.shared import snapshot

    snapshot.publish(context.warehouse)


def _require_begun(info: WorkflowInfo, code: int, said: Sequence[str]) -> None:
    """Nothing was built. Raises ConfigurationError DBT_INVALID, or OperationFailedError DBT_FAILED."""
    if code == 0:
        return
    error = complaint(_dbt_of(info).folder, Completed(code, "\n".join(said), ""))
    if code == _BROKEN:
        raise error
    raise OperationFailedError(error.message, code="DBT_FAILED", place=error.place)


def _logged(said: Sequence[str]) -> Iterator[str]:
    """What a macro said with `log(…, info=true)` or `print`."""
    for line in said:
        told = json.loads(line) if line.startswith("{") else {}
        if told and told["info"]["name"] in {"JinjaLogInfo", "PrintEvent"}:
            yield told["info"]["msg"].rstrip()


def _reason(node: DbtNode) -> str:
    """The line that says what is wrong, without dbt's heading over it."""
    lines = [line.strip() for line in (node.message or "").splitlines() if line.strip()]
    return next((line for line in lines if " Error in " not in line), "no reason given")


def _raise_unless_good(result: DbtResult) -> None:
    failed = [node for node in result.nodes if node.state == "failure"]
    if not failed:
        return
    first, tests = failed[0], all(node.kind == "test" for node in failed)
    what = "test" if tests else "node"
    message = f"{len(failed)} of {len(result.nodes)} {what}s failed, first {first.name}: {_reason(first)}"
    actions = (
        Action("Build it alone", f"dataflow dbt build {first.workflow} --select {first.name}"),
        *([Action("Read its SQL", f"less {first.compiled}")] if first.compiled else []),
    )
    if tests:
        raise ChecksFailedError(message, data=result, actions=actions)
    raise OperationFailedError(message, code="DBT_FAILED", data=result, actions=actions)
