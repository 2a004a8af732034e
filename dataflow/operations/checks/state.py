"""What earlier commands and platforms left: running, stale or half done."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from dataflow.config.marks import MARKER, WORKER
from dataflow.engines.supervisor import socket_path
from dataflow.errors import MissingError
from dataflow.models import ServiceState
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Cure, Verdict, counted, judged, passed, skipped
from dataflow.operations.engine_guards import require_other_down
from dataflow.system.files import mapped_os_errors
from dataflow.system.process import has_variable, is_alive, marked

_BUSY = "Another command works on the platform just now."
_TROUBLED: set[ServiceState] = {"failed", "crash-loop", "unknown"}
_PARTIAL = re.compile(r"\.[\w.-]+\.[a-z0-9_]{8}")  # as `write_text` names a file that is not whole yet
_ABANDONED = 60.0  # seconds
_MAGIC = b"DUCK"


def platform(subject: Subject) -> Verdict | list[Verdict]:
    """Services are supervised, and none has given up."""
    seen = subject.observed()
    if seen.trouble:
        return skipped(f"The engine cannot be asked: {seen.trouble}")
    if seen.leftovers and not subject.busy:
        number = len(seen.leftovers)
        what = "process of the platform goes" if number == 1 else "processes of the platform go"
        words = f"The supervisor is gone, and {number} {what} on without it."
        return Verdict("fail", words, "`dataflow up` ends them and starts anew.", "dataflow up")
    broken = [
        Verdict(
            "fail",
            f"{name} is {process.state}: {process.detail or 'no reason given'}.",
            None,
            f"dataflow logs {name}",
            name,
        )
        for name, process in seen.processes.items()
        if process.state in _TROUBLED
    ]
    running = sum(process.running for process in seen.processes.values())
    return broken or passed(f"{counted(running, 'service')} up." if running else "It is down.")


def sockets(subject: Subject) -> Verdict | list[Verdict]:
    """No socket or pid file of a supervisor that is gone."""
    paths = subject.paths
    if subject.busy:
        return skipped(_BUSY)
    if subject.uses_docker:
        return skipped("The docker engine has none.")
    seen = subject.observed()
    if seen.alive or seen.leftovers:
        return passed("They belong to the platform that runs.")
    stale = [file for file in (socket_path(paths), paths.run / "supervisord.pid") if _is_stale(file)]
    if not stale:
        return passed("There are none.")
    names = ", ".join(file.name for file in stale)
    cure = Cure(f"removed {names}", lambda _: _remove(stale))
    return Verdict("warn", f"{names}: left of a platform that is gone.", None, "dataflow doctor --fix", cure=cure)


def partial(subject: Subject) -> Verdict:
    """No half-written file of a command that was killed."""
    if subject.busy:
        return skipped(_BUSY)
    paths = subject.paths
    places = [*paths.root.glob("..env.*"), *paths.state.glob(".*"), *paths.run.glob(".*")]
    old = time.time() - _ABANDONED
    left = [file for file in places if _PARTIAL.fullmatch(file.name) and file.is_file() and file.stat().st_mtime < old]
    if not left:
        return passed("There are none.")
    cure = Cure(f"removed {counted(len(left), 'half-written file')}", lambda _: _remove(left))
    words = f"{counted(len(left), 'half-written file')} of a command that was killed."
    return Verdict("warn", words, ", ".join(file.name for file in left[:3]), "dataflow doctor --fix", cure=cure)


def restore(subject: Subject) -> Verdict:
    """No restore was cut off."""
    folder = subject.paths.restoring
    if not folder.exists():
        return passed("None was cut off.")
    if subject.busy:
        return skipped(_BUSY)
    turning = (folder / "journal.json").exists()
    words = "A restore was cut off while it turned to the new state." if turning else "A restore was cut off."
    hint = (
        "The next `dataflow up` finishes it."
        if turning
        else "The state before it is whole; `dataflow up` clears the rest."
    )
    return Verdict("fail" if turning else "warn", words, hint, "dataflow up")


def remembered(subject: Subject) -> Verdict:
    """stack.json can be read."""
    file = subject.paths.stack
    aside = sorted(file.parent.glob(f"{file.name}.corrupt-*"))
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = {}
    except ValueError:
        known = None
    if not isinstance(known, dict):
        words = f"{file.name} is corrupt: ports and the engine that has the data are forgotten."
        return Verdict("fail", words, "The next command keeps it aside; `dataflow up` makes a new one.", "dataflow up")
    if aside:
        words = f"{aside[-1].name} was corrupt and is kept aside."
        return Verdict("warn", words, "Remove it when you need it no more.", f"rm .dataflow/{aside[-1].name}")
    return passed("It can be read." if known else "Nothing is remembered yet.")


def held(subject: Subject) -> Verdict:
    """No service stays at an older image because an upgrade was undone."""
    pins = sorted(subject.stack.pins)
    if not pins:
        return passed("None was undone.")
    words = f"The last upgrade was undone: {', '.join(pins)} stay as they were before it."
    return Verdict("warn", words, "Look at why, then try again.", "dataflow upgrade")


def other_engine(subject: Subject) -> Verdict:
    """The other engine has no data of the project, and does not run."""
    known = subject.stack.engine
    now = subject.choice().name
    if known in (None, now):
        return passed(f"All data is with the {now} engine." if known else "There is no data yet.")
    try:
        require_other_down(subject.chosen())
    except MissingError as error:
        return judged(error)
    words = f"Objects and run history are with the {known} engine."
    return Verdict("warn", words, "The warehouse is the same file on both.", f"dataflow engine switch {now}")


def warehouse(subject: Subject) -> Verdict:
    """The warehouse is a DuckDB file, and nobody but the platform has it locked."""
    from dataflow.shared.lock_holder import find_holder

    path = subject.project.warehouse
    if not path.is_file():
        return passed("It is empty.")
    with path.open("rb") as file:
        head = file.read(12)
    if head and head[8:] != _MAGIC:
        hint = "Move it aside and run the workflows again, or restore a backup."
        return Verdict("fail", f"{path.name} is not a DuckDB file: it is damaged.", hint, "dataflow backup list")
    holder = find_holder(path)
    if holder is None:
        return passed("Nobody has it locked.")
    if has_variable(holder.pid, WORKER) or holder.pid in marked(MARKER, subject.paths.stack_id):
        return passed(f"A run of this platform writes to it: process {holder.pid}.")
    return Verdict("warn", f"It is locked by {holder}.", "Runs wait for it until it ends.", f"kill {holder.pid}")


def _is_stale(file: Path) -> bool:
    """A pid file of a living process is nobody's leftover."""
    if file.suffix != ".pid":
        return file.is_socket()
    if not file.is_file():
        return False
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    return not (text.isdecimal() and is_alive(int(text)))


def _remove(files: list[Path]) -> None:
    for file in files:
        with mapped_os_errors(file):
            file.unlink(missing_ok=True)
