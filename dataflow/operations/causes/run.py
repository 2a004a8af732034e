"""Why a run failed, or why it does not go on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dataflow.errors import Action, Place
from dataflow.models import Run
from dataflow.operations.causes.looked import Looked, RunSeen
from dataflow.operations.causes.model import MOST_ACTIONS, Fact, Problem, Subject
from dataflow.operations.causes.service import disk
from dataflow.operations.causes.texts import run_cause
from dataflow.operations.run_logs import around_failure
from dataflow.shared.lock_holder import find_holder

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_IN_CONTAINERS = "/project/"  # where the project lies in containers
_WAITING = {"queued", "starting"}
_LINES = 4


def run_problem(looked: Looked, seen: RunSeen) -> Problem | None:
    """What is wrong with a run; None where nothing is."""
    run = seen.run
    match run.state:
        case "failure":
            return _failed(looked, seen)
        case "success" if any(not check.passed for check in seen.progress.checks):
            return _checks(looked, seen)
        case "canceled" | "canceling":
            again = Action("Run it again", f"dataflow workflow run {run.workflow}")
            return _made(looked, seen, "run-cancelled", f"The run of {run.workflow} was cancelled.", (again,))
        case "running" if seen.blocked:
            return _blocked(looked, seen)
        case "queued" | "starting":
            return _queued(looked, seen)
        case _:
            return None


def waits(run: Run) -> bool:
    """Whether it has not begun."""
    return run.state in _WAITING


def _failed(looked: Looked, seen: RunSeen) -> Problem:
    run, step = seen.run, seen.progress.failed
    error = (step.error if step else seen.progress.error) or ""
    cause = run_cause(error) or ("step-failed" if step and error else "unknown")
    short, name = run.id[:8], run.workflow
    logs = Action("Read its log", f"dataflow workflow logs {short}")
    again = Action("Run it again", f"dataflow workflow run {name}")
    first = error.strip().partition("\n")[0]
    match cause:
        case "warehouse-locked":
            return _locked(looked, seen, again)
        case "source-down":
            address = re.search(r"https?://[^\s)'\"]+", error)
            try_it = (Action("See whether it answers now", f"curl -sSI {address[0]}"),) if address else ()
            words = f"A source that {name} reads does not answer: {first}"
            return _made(looked, seen, cause, words, (*try_it, again, logs))
        case "store-down":
            start = Action("Start it", "dataflow start object-store")
            return _made(looked, seen, cause, f"The object store did not answer: {first}", (start, again))
        case "run-killed":
            words = f"The process of the run of {name} ended without a word: it was killed or it crashed."
            return _made(looked, seen, cause, words, (again, logs))
        case "disk-full":
            room = Action("See what is free", "df -h")
            return _made(
                looked, seen, cause, f"{name} could not write: the disk is full.", (room, again), *disk(looked)
            )
        case "bad-password":
            cure = Action("Give Postgres the password of now", "dataflow up --stale-volume alter")
            return _made(looked, seen, cause, f"Postgres refused the password of {name}.", (cure, again))
        case "dbt-test-failed" | "dbt-failed":
            what = "A dbt test did not hold" if cause == "dbt-test-failed" else "dbt could not build a model"
            return _made(looked, seen, cause, f"{what} in {name}.", (logs, again))
        case "unknown":
            made = _made(
                looked, seen, cause, f"The run of {name} failed: {first or 'no reason was given'}.", (logs, again)
            )
            return _with_ruled_out(made, looked)
        case _:
            where = f" at {place}" if (place := _place(looked, seen)) else ""
            words = f"Step {step.name if step else '?'} of {name} failed{where}: {first}"
            return _made(looked, seen, cause, words, (logs, again))


def _locked(looked: Looked, seen: RunSeen, again: Action) -> Problem:
    """Who has the lock now; it may be gone by now."""
    path = looked.context.warehouse
    holder = find_holder(path) if path.exists() else None
    if holder is None:
        words = f"The warehouse was locked by another process when {seen.run.workflow} wanted to write; now it is free."
        return _made(looked, seen, "warehouse-locked", words, (again,), Fact("lock", f"nobody holds {path} now"))
    fact = Fact("lock", f"{path} is held by {holder}")
    words = f"The warehouse is locked by process {holder.pid} ({holder.command})."
    return _made(looked, seen, "warehouse-locked", words, (Action("Stop it", f"kill {holder.pid}"), again), fact)


def _checks(looked: Looked, seen: RunSeen) -> Problem:
    failed = [check.name for check in seen.progress.checks if not check.passed]
    count = "1 check" if len(failed) == 1 else f"{len(failed)} checks"
    words = f"The run of {seen.run.workflow} succeeded, but {count} did not hold: {', '.join(failed[:3])}."
    facts = [Fact("check", name) for name in failed]
    logs = Action("Read its log", f"dataflow workflow logs {seen.run.id[:8]}")
    query = Action(
        "Look at the data", f'dataflow data query "from {failed[0].partition(":")[0].split("/")[-1]} limit 20"'
    )
    again = Action("Run it again", f"dataflow workflow run {seen.run.workflow}")
    return _made(looked, seen, "check-failed", words, (query, logs, again), *facts)


def _blocked(looked: Looked, seen: RunSeen) -> Problem:
    """Other runs that run now, and what they do: one of them has the pool."""
    others = [one for one in looked.runs.read.values() if one.run.state == "running" and one.run.id != seen.run.id]
    holding = [one for one in others if not one.blocked]
    facts = [
        Fact("at work", f"run {one.run.id[:8]} of {one.run.workflow}, step {step.name}", time=step.started)
        for one in holding
        for step in one.progress.steps
        if step.state == "running"
    ]
    actions = [Action("Follow the other one", f"dataflow workflow logs {holding[0].run.id[:8]} -f")] if holding else []
    if holding:
        actions.append(Action("Or end it", f"dataflow workflow cancel {holding[0].run.id[:8]}"))
    else:
        actions.append(Action("See what runs", "dataflow workflow runs"))
    words = f"The run of {seen.run.workflow} waits for the pool {seen.blocked}, which another run has."
    return _made(looked, seen, "pool-wait", words, tuple(actions), *facts)


def _queued(looked: Looked, seen: RunSeen) -> Problem:
    running = [run for run in looked.runs.runs if run.state == "running"]
    facts = [Fact("at work", f"run {run.id[:8]} of {run.workflow}", time=run.started) for run in running[:_LINES]]
    what = "other runs have the pools or the places that it needs" if running else "it has not begun yet"
    words = f"The run of {seen.run.workflow} waits in Dagster's queue: {what}."
    actions = (
        Action("See what runs", "dataflow workflow runs"),
        Action("Give it up", f"dataflow workflow cancel {seen.run.id[:8]}"),
    )
    return _made(looked, seen, "queue-wait", words, actions, *facts)


def _made(
    looked: Looked, seen: RunSeen, cause: str, summary: str, actions: tuple[Action, ...], *facts: Fact
) -> Problem:
    run, step = seen.run, seen.progress.failed
    told = [Fact("run", f"{run.workflow} {run.state}", time=run.ended or run.started or run.created), *facts]
    if step:
        told.append(Fact("step", step.name))
    if error := (step.error if step else seen.progress.error) if run.state == "failure" else None:
        told.append(Fact("error", error.strip()))
    place = _place(looked, seen) if run.state == "failure" else None
    if place:
        told.append(Fact("at", str(place)))
        told += [Fact("line", place.snippet.strip())] if place.snippet else []
    told += _changes(looked, run)
    if run.state == "failure":
        lines = around_failure(looked.context, run.id, step.name if step else None, before=_LINES)
        told += [Fact("log", line.message, line.step or line.service or None, line.timestamp) for line in lines]
    return Problem(Subject("run", run.id), cause, summary, tuple(told), actions=actions[:MOST_ACTIONS])


def _place(looked: Looked, seen: RunSeen) -> Place | None:
    """The deepest line of the user's own code in what the run's log tells of the error."""
    paths = looked.context.paths
    step = seen.progress.failed  # beside its lines there may be those of another workflow that does not load
    lines = around_failure(looked.context, seen.run.id, step.name if step else None, before=50)
    traces = [text for line in lines if (text := str(line.context.get("exception") or ""))]
    found: Place | None = None
    for name, number in (pair for trace in traces[:1] for pair in _FRAME.findall(trace)):
        path = Path(name)
        if name.startswith(_IN_CONTAINERS):
            path = paths.root / name.removeprefix(_IN_CONTAINERS)
        if path.is_relative_to(paths.workflows):
            found = Place(path.relative_to(paths.root), int(number), snippet=_line(path, int(number)))
    return found


def _line(path: Path, number: int) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[number - 1]
    except (OSError, IndexError):
        return None


def _changes(looked: Looked, run: Run) -> Iterator[Fact]:
    """Files of the workflow that are newer than its last good run."""
    good = next((one for one in looked.runs.runs if one.workflow == run.workflow and one.state == "success"), None)
    if good is None or good.started is None or good.id == run.id:
        return
    yield Fact("last worked", f"run {good.id[:8]}", time=good.ended)
    folder = looked.context.paths.workflows / run.workflow
    newer = sorted(_newer(folder, good.started))
    if newer:
        more = f" and {len(newer) - 3} more" if len(newer) > 3 else ""
        yield Fact("changed since", ", ".join(newer[:3]) + more)


def _newer(folder: Path, moment: datetime) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.stat().st_mtime > moment.timestamp():
            yield str(path.relative_to(folder.parent))


def _with_ruled_out(problem: Problem, looked: Looked) -> Problem:
    """What was found good while nothing told the cause."""
    from dataclasses import replace

    from dataflow.operations.services import is_good

    well = [name for name, status in looked.services.items() if is_good(status)]
    checked = ["its error names no lock, full disk, source, store or dbt test"]
    if well:
        checked.append(f"services that are well: {', '.join(well)}")
    return replace(problem, ruled_out=tuple(checked))
