"""The machine: Python, clock, memory, disk and terminal."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from dataflow.engines.docker_checks import LITTLE, SCARCE
from dataflow.errors import DataflowError
from dataflow.operations.checks import known
from dataflow.operations.checks.packages import DISTRIBUTION, satisfies
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict, amount, passed

_SKEW = 5.0
_TOO_MUCH_SKEW = 900.0  # S3 refuses what was signed longer ago
_NARROW = 80


def python(_: Subject) -> Verdict:
    """Python is one that the toolkit was made for."""
    now = ".".join(map(str, sys.version_info[:3]))
    try:
        wanted = metadata(DISTRIBUTION)["Requires-Python"] or ""
    except PackageNotFoundError:
        return passed(f"Python {now}.")
    if satisfies(now, wanted):
        return passed(f"Python {now}.")
    return Verdict(
        "fail", f"Python {now} is not one of those that are supported: {wanted}.", command="python3 -m venv .venv"
    )


def clock(subject: Subject) -> Verdict:
    """The clock is not in the past, and agrees with Docker's."""
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    now = datetime.now(UTC)
    if now < installed:
        message = (
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but the toolkit was installed at {installed:%Y-%m-%d %H:%M}."
        )
        return Verdict("warn", message, "Signatures, schedules and logs need the right time.", "timedatectl status")
    skew = _docker_skew(subject)
    if skew is None or abs(skew) < _SKEW:
        return passed(
            "The clock is right, as far as can be told." if skew is None else "The clock agrees with Docker's."
        )
    side = "ahead of" if skew > 0 else "behind"
    message = f"Docker's clock is {abs(skew):.0f} seconds {side} this machine's."
    state = "fail" if abs(skew) >= _TOO_MUCH_SKEW else "warn"
    return Verdict(
        state, message, "A virtual machine that slept keeps the old time: restart Docker.", "timedatectl status"
    )


def memory(subject: Subject) -> Verdict:
    """There is memory for the services that do not run yet."""
    import psutil

    machine = psutil.virtual_memory()
    total, free = machine.total, machine.available
    if subject.uses_docker and (own := int(subject.docker().info.get("MemTotal") or 0)):
        total, free = min(total, own), min(free, own)  # a virtual machine has less than its host
    need = sum(known.memory(name) for name in _idle(subject))
    words = f"{amount(free)} of memory are free; what is not running yet takes about {amount(need)}."
    if need <= free:
        return passed(words)
    hint = "Stop other programs, or switch services off: services.NAME.enabled = false."
    return Verdict("fail" if need > total else "warn", words, hint, "dataflow status")


def disk(subject: Subject) -> list[Verdict]:
    """There is room for data, and for the images that are not here yet."""
    places = {"the project's folder" if subject.has_project else "this folder": subject.root}
    if subject.uses_docker:
        places["Docker's folder"] = Path(str(subject.docker().info.get("DockerRootDir") or "/"))
    found: list[Verdict] = []
    for what, place in places.items():
        try:
            free = shutil.disk_usage(place).free
        except OSError:
            continue  # the engine keeps its files in a virtual machine
        words = f"{amount(free)} of disk are free in {what}."
        if free >= SCARCE:
            found.append(Verdict("pass", words, about=str(place)))
            continue
        command = "docker system df" if place != subject.root else "du -sh .dataflow/*"
        hint = f"{amount(SCARCE)} give room for images and data; below {amount(LITTLE)} nothing starts."
        found.append(Verdict("fail" if free < LITTLE else "warn", words, hint, command, str(place)))
    return found


def terminal(_: Subject) -> Verdict:
    """Signs, colours and tables can be shown."""
    encoding = (sys.stdout.encoding or "").lower()
    name = os.environ.get("TERM", "")
    width = shutil.get_terminal_size().columns
    if not encoding.startswith("utf"):
        message = f"The output is {encoding or 'of no known encoding'}: signs that it lacks are replaced."
        return Verdict("warn", message, "Set a UTF-8 locale.", "export LC_ALL=C.UTF-8")
    if not sys.stdout.isatty():
        return passed("UTF-8; the output goes to a file or a pipe, so without colour.")
    if name in {"", "dumb"}:
        return Verdict("warn", f"TERM is {name or 'not set'}: no colours.", None, "export TERM=xterm-256color")
    if width < _NARROW:
        return Verdict("warn", f"The terminal has {width} columns; tables need {_NARROW}.", "Make the window wider.")
    colour = "without colour (NO_COLOR)" if os.environ.get("NO_COLOR") else "colour"
    return passed(f"UTF-8, {width} columns, {colour}, TERM {name}.")


def _idle(subject: Subject) -> list[str]:
    """Services that would have to start; without a project, those that a new one has on every engine."""
    if not subject.has_project:
        return ["object-store", "dagster-code", "dagster-daemon", "dagster-webserver"]
    running = {name for name, process in subject.observed().processes.items() if process.running}
    return [name for name in subject.engine.wanted if name not in running]


def _docker_skew(subject: Subject) -> float | None:
    try:
        return subject.docker().skew if subject.uses_docker else None
    except DataflowError:
        return None
