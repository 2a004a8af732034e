"""The one door to other programs: run one, start one in the background, find and end those that are ours."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import MissingError, OperationFailedError
from dataflow.system.files import mapped_os_errors

if TYPE_CHECKING:
    import psutil


_background: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Completed:
    """A finished program: its exit code (negative: the signal that ended it) and what it printed."""

    code: int
    stdout: str
    stderr: str


def find_program(name: str) -> str | None:
    """Where `name` is: beside our own Python first, then on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)


def program_beside(name: str) -> str:
    """The path of a program that was installed with us. Raises MissingError PROGRAM_MISSING."""
    found = find_program(name)
    if found is None:
        raise MissingError(f"The program '{name}' is not here.", code="PROGRAM_MISSING")
    return found


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run to the end and return what it printed. Raises MissingError PROGRAM_MISSING, OperationFailedError TIMEOUT."""
    try:
        done = subprocess.run(
            command, env=env, cwd=cwd, timeout=timeout, check=False, text=True, capture_output=True, errors="replace"
        )
    except FileNotFoundError as error:
        raise MissingError(f"The program '{command[0]}' is not here.", code="PROGRAM_MISSING") from error
    except subprocess.TimeoutExpired as error:
        message = f"'{' '.join(command[:3])}' did not end within {timeout:g} seconds."
        raise OperationFailedError(message, code="TIMEOUT", retryable=True) from error
    return Completed(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def streaming(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Generator[Streaming]:
    """Run a program whose lines are read as they come; it is asked to end, then killed, if the block ends before it.

    Raises:
        MissingError: PROGRAM_MISSING.
    """
    try:
        child = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to hand on
            preexec_fn=_restore_signals,
        )
    except FileNotFoundError as error:
        raise MissingError(f"The program '{command[0]}' is not here.", code="PROGRAM_MISSING") from error
    with child:
        try:
            yield Streaming(child)
        finally:
            if child.poll() is None:
                end([child.pid], grace=10)


class Streaming:
    """A running program whose output, both streams in one, is read line by line without waiting for ever."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def lines(self, *, beat: float) -> Iterator[str | None]:
        """Its lines without their ends until it has ended; None when nothing came for `beat` seconds."""
        while True:
            try:
                line = self._lines.get(timeout=beat)
            except queue.Empty:
                yield None
                continue
            if line is None:
                return
            yield line

    def wait(self) -> int:
        """Its exit code."""
        return self._child.wait()

    def _read(self) -> None:
        if self._child.stdout:
            for line in self._child.stdout:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(None)


def interact(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    files: Sequence[int] = (),
    begun: Callable[[int], None] = lambda _: None,
) -> int:
    """Run with our own terminal and return the exit code. Raises MissingError PROGRAM_MISSING.

    The open `files` (descriptors) stay open in it; `begun` is told its pid.
    """
    try:
        with (
            signals_ignored(signal.SIGINT),
            subprocess.Popen(command, env=env, cwd=cwd, pass_fds=files, preexec_fn=_restore_signals) as child,
        ):
            begun(child.pid)
            return child.wait()
    except FileNotFoundError as error:
        raise MissingError(f"The program '{command[0]}' is not here.", code="PROGRAM_MISSING") from error


def spawn(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path, files: Sequence[int] = ()) -> int:
    """Start in the background, in a session of its own, its output appended to `log`. Returns the pid.

    The open `files` (descriptors) stay open in it.
    """
    with mapped_os_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=files,
                preexec_fn=_restore_signals,
            )
    # It outlives this command; a long-lived parent must still collect those that ended.
    _background[:] = [*(known for known in _background if known.poll() is None), child]
    return child.pid


def is_alive(pid: int) -> bool:
    """Whether this process lives; a zombie does not."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(variable: str, value: str) -> list[int]:
    """The pids of our user's living processes whose environment holds `variable=value`, ourselves left out.

    A marker in the environment is inherited by every descendant and survives the death of every parent, so
    nothing that we started can hide, and nothing that we did not start is ever found.
    """
    import psutil

    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            if process.pid != os.getpid() and process.environ().get(variable) == value:
                found.append(process.pid)
    return found


def has_variable(pid: int, variable: str) -> bool:
    """Whether this process has the variable in its environment."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return variable in psutil.Process(pid).environ()
    return False


def end(pids: Sequence[int], *, grace: float) -> list[int]:
    """Ask processes to end, wait `grace` seconds, then kill. Returns those that had to be killed."""
    import psutil

    processes = list(_existing(pids))
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return [process.pid for process in alive]


def memory_of(pid: int) -> int | None:
    """Resident bytes of a process and its descendants in the same session; None where it is gone.

    What it started in a session of its own (a workflow's run) is no part of it.
    """
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
        process = psutil.Process(pid)
        session = os.getsid(pid)
        total = int(process.memory_info().rss)
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
                total += int(child.memory_info().rss) if os.getsid(child.pid) == session else 0
        return total
    return None


@contextlib.contextmanager
def signals_ignored(*numbers: signal.Signals) -> Generator[None]:
    """Leave signals to the child while it has the terminal."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _existing(pids: Sequence[int]) -> Iterator[psutil.Process]:
    import psutil

    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def _restore_signals() -> None:
    """A shell that runs us in the background ignores SIGINT, and children would inherit that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
