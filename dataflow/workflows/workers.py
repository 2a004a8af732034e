"""The processes that carry out runs: start one, know which live, end them.

Each run is one process in a session of its own, with a record under `.dataflow/run/workers/`. It needs no Dagster
service to go on, so a run survives the death of any of them natively; and a record without a process is a crashed run.

Workers and those who ask about them may be in different containers, where pids mean nothing. So a worker lives as long
as it holds its lock file, and it is asked to end by a word in its record, which it looks at.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataflow.config.marks import WORKER
from dataflow.config.paths import ProjectPaths
from dataflow.system.files import hold, is_held, write_json
from dataflow.system.process import interact, spawn
from dataflow.workflows.fork_server import ForkServer

_MODULE = "dataflow.workflows.worker"
_CONSOLE_BYTES = 5_000_000
_LOOK = 0.2  # seconds between two looks for the word to end


@dataclass(frozen=True, slots=True)
class Worker:
    """A run's process. `pid` is as its own container counts. `lock` is held while it lives.

    `interrupted`: somebody asked it to cancel, so an end without a word is a cancelled run and not a crash.
    """

    run_id: str
    workflow: str
    lock: Path
    pid: int
    interrupted: bool = False

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return is_held(self.lock)


def start(
    paths: ProjectPaths,
    run_id: str,
    workflow: str,
    env: Mapping[str, str],
    arguments: Sequence[str] = (),
    fork_server: ForkServer | None = None,
) -> Worker:
    """Start the process of a run. `arguments` are those of `dataflow.workflows.worker` after the run's id.

    A `fork_server` makes that quick; without one, or where it fails, the process begins with importing everything.
    """
    lock = _record(paths, run_id).with_suffix(".lock")
    words, env = [run_id, *arguments], {**env, WORKER: run_id}
    with hold(lock) as held:  # the child has it before anybody can look
        pid = _forked(paths, fork_server, words, env, held.fileno())
        if pid is None:
            command = [sys.executable, "-m", _MODULE, *words]
            pid = spawn(command, env=env, cwd=paths.root, log=console(paths), files=(held.fileno(),))
        worker = Worker(run_id, workflow, lock, pid)
        _write(paths, worker)
    return worker


def attend(paths: ProjectPaths, run_id: str, workflow: str, env: Mapping[str, str], arguments: Sequence[str]) -> None:
    """The same in our own terminal, for a debugger; returns when the process has ended."""
    lock = _record(paths, run_id).with_suffix(".lock")
    command = [sys.executable, "-m", _MODULE, run_id, "--attended", *arguments]
    with hold(lock) as held:
        interact(
            command,
            env={**env, WORKER: run_id},
            cwd=paths.root,
            files=(held.fileno(),),
            begun=lambda pid: _write(paths, Worker(run_id, workflow, lock, pid)),
        )


def _forked(
    paths: ProjectPaths, server: ForkServer | None, words: Sequence[str], env: Mapping[str, str], held: int
) -> int | None:
    if server is None:
        return None
    with console(paths).open("ab") as out:
        return server.fork(_MODULE, words, env, (out.fileno(), held))


def find(paths: ProjectPaths, run_id: str) -> Worker | None:
    """The worker of a run; None where it ended in order or never was."""
    record = _record(paths, run_id)
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, TypeError):
        return Worker(lock=record.with_suffix(".lock"), **json.loads(record.read_text(encoding="utf-8")))
    return None


def all_workers(paths: ProjectPaths) -> list[Worker]:
    """Every worker with a record, alive or crashed."""
    found = (find(paths, record.stem) for record in sorted(paths.workers.glob("*.json")))
    return [worker for worker in found if worker]


def forget(paths: ProjectPaths, run_id: str) -> None:
    """Remove the record: the run's end is written where it belongs."""
    _record(paths, run_id).unlink(missing_ok=True)
    _record(paths, run_id).with_suffix(".lock").unlink(missing_ok=True)


def interrupt(paths: ProjectPaths, worker: Worker) -> bool:
    """Ask the worker to cancel its run; False where it is gone."""
    if not worker.alive:
        return False
    _write(paths, replace(worker, interrupted=True))
    return True


def heed_interrupts(paths: ProjectPaths, run_id: str) -> None:
    """In a worker: from now on end as by SIGTERM when somebody asks for it."""

    def watch() -> None:
        while True:
            worker = find(paths, run_id)
            if worker and worker.interrupted:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            time.sleep(_LOOK)

    threading.Thread(target=watch, name="interrupts", daemon=True).start()


def _write(paths: ProjectPaths, worker: Worker) -> None:
    record = {"run_id": worker.run_id, "workflow": worker.workflow, "pid": worker.pid}
    write_json(_record(paths, worker.run_id), {**record, "interrupted": worker.interrupted})


def console(paths: ProjectPaths) -> Path:
    """What workers print, kept in two files of bounded size; their log lines are in files of their own."""
    path = paths.logs / "worker.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _CONSOLE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def _record(paths: ProjectPaths, run_id: str) -> Path:
    return paths.workers / f"{run_id}.json"
