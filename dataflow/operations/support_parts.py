"""What goes into a support bundle: each part a function from what is examined to texts and data by file name."""

from __future__ import annotations

import os
import platform
import sys
from collections import deque
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from dataflow import __version__
from dataflow.engines.base import PlanOptions
from dataflow.errors import ConfigurationError, DataflowError, UsageError
from dataflow.events import ignore
from dataflow.operations import configuration
from dataflow.operations.checks.subject import Subject
from dataflow.operations.doctor import DoctorOptions, doctor
from dataflow.operations.following import Progress
from dataflow.operations.known_secrets import env_names
from dataflow.operations.status import status
from dataflow.system.files import mapped_os_errors, read_state

LINES = 200
RUNS = 5
_LONGEST = 10_000  # characters of a line
_TELLING = ("DATAFLOW_", "DOCKER_", "COMPOSE_", "DAGSTER_", "LC_")
_ALSO = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "TERM", "LANG", "CI", "NO_COLOR", "SHELL", "VIRTUAL_ENV"}
# The rest of stack.json are digests, among them of secrets: who has one can try whether a guess is right.
_STACK = ("version", "engine", "ports", "profiles", "absent", "images", "pins", "generation", "asked")

Files = Iterator[tuple[str, Any]]
"""File names in the bundle with a text, or with data that becomes JSON."""


def versions(subject: Subject) -> Files:
    """The toolkit, Python, the machine, Docker and every package."""
    yield (
        "versions.json",
        {
            "dataflow": __version__,
            "python": sys.version,
            "machine": platform.platform(),
            "processors": os.cpu_count(),
            "docker": _or_why(lambda: subject.docker().version),
            "docker_info": _or_why(lambda: _docker_info(subject)),
            "compose": _or_why(subject.compose),
            "packages": dict(sorted((found.name, found.version) for found in distributions())),
        },
    )


def settings(subject: Subject) -> Files:
    """Every setting with its origin, or what is wrong with them."""
    try:
        yield "configuration.json", configuration.show(subject.project)
    except (ConfigurationError, UsageError) as error:
        place = f"{error.place.path.name}:{error.place.line}" if error.place else None  # without the line's text
        wrong = {"code": error.code, "message": error.message, "hint": error.hint, "place": place}
        yield "configuration.json", {"invalid": wrong}


def environment(subject: Subject) -> Files:
    """The names in .env, and the variables that change what we do."""
    telling = {name: value for name, value in os.environ.items() if name.startswith(_TELLING) or name.upper() in _ALSO}
    yield "environment.json", {"env_file": env_names(subject.paths), "environment": telling}


def checks(subject: Subject) -> Files:
    """What `dataflow doctor` finds."""
    yield "doctor.json", doctor(subject.project, DoctorOptions(), ignore)


def state(subject: Subject) -> Files:
    """What `dataflow status` shows."""
    _require_engine(subject)
    yield "status.json", status(subject.chosen())


def plan(subject: Subject) -> Files:
    """What `dataflow up` would do."""
    _require_engine(subject)
    yield "plan.json", subject.engine.plan(subject.observed(), PlanOptions())


def remembered(subject: Subject) -> Files:
    """stack.json, but for digests."""
    known = read_state(subject.paths.stack, ignore)
    yield "stack.json", {name: known[name] for name in _STACK if name in known}


def audit(subject: Subject) -> Files:
    """The last lines of the audit log."""
    yield "audit.jsonl", tail(subject.paths.audit)


def log_files(subject: Subject) -> Files:
    """The logs of processes, which are there whatever the settings say."""
    folder = subject.paths.logs
    for file in sorted([*folder.glob("*.jsonl"), *folder.glob("*.log"), *subject.paths.run.glob("supervisord.log")]):
        yield f"logs/{file.stem}.log", tail(file)


def container_logs(subject: Subject) -> Files:
    """The logs of containers."""
    if not subject.uses_docker:
        return
    _require_engine(subject)
    names = {**dict.fromkeys(subject.engine.wanted), **dict.fromkeys(subject.observed().processes)}
    for name in names:
        if lines := subject.engine.log_tail(name, LINES):
            yield f"logs/{name}.log", "".join(f"{line}\n" for line in lines)


def run_logs(subject: Subject) -> Files:
    """The logs of the newest runs."""
    files = sorted(subject.paths.run_logs.glob("*.jsonl"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[:RUNS]:
        yield f"runs/{file.stem}.jsonl", tail(file)


def runs(subject: Subject) -> Files:
    """The newest runs with their steps and errors."""
    context = subject.chosen()
    if context.has_files and not (context.paths.dagster_home / "schedules" / "schedules.db").exists():
        return  # nothing ever ran
    _require_engine(subject)
    history = context.history()
    found: list[dict[str, Any]] = []
    for run in history.runs(limit=RUNS):
        page = history.events(run.id)
        found.append({"run": run, "progress": Progress.empty().after(page.events), "events": page.events[-LINES:]})
    yield "runs.json", found


def tail(path: Path) -> str:
    """The last lines of a file; nothing where there is none."""
    with mapped_os_errors(path):
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return "".join(deque(file, maxlen=LINES))


def shortened(text: str) -> str:
    """A text whose lines are no longer than they have to be: cut only once secrets are gone, never through one."""
    return "".join(
        line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…\n" for line in text.splitlines(keepends=True)
    )


def _require_engine(subject: Subject) -> None:
    """Raises MissingError ENGINE_DOWN once, and quickly, where every question would wait for an answer."""
    if subject.uses_docker:
        subject.docker()


def _docker_info(subject: Subject) -> dict[str, Any]:
    names = (
        "OperatingSystem",
        "KernelVersion",
        "Driver",
        "CgroupVersion",
        "NCPU",
        "MemTotal",
        "SecurityOptions",
        "Warnings",
    )
    info = subject.docker().info
    return {name: info.get(name) for name in names}


def _or_why(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except DataflowError as error:
        return f"not known: {error.message}"


PARTS: dict[str, Callable[[Subject], Files]] = {
    "versions": versions,
    "configuration": settings,
    "environment": environment,
    "doctor": checks,
    "status": state,
    "plan": plan,
    "stack": remembered,
    "audit": audit,
    "logs of processes": log_files,
    "logs of containers": container_logs,
    "logs of runs": run_logs,
    "runs": runs,
}
"""Every part by the name that people read."""
