"""The processes that carry out runs: start one, know which live, end them.

Each run is one process in a session of its own, with a record under `.dataflow/run/workers/`. It needs no Dagster
service to go on, so a run survives the death of any of them; and a record without a process is a crashed run.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dataflow.config.marks import WORKER
from dataflow.config.paths import ProjectPaths
from dataflow.system.files import write_json
from dataflow.system.process import created_at, is_alive, send_signal, spawn

_CONSOLE_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Worker:
    """A run's process. `created` (epoch seconds) tells it from a later process with the same pid.

    `interrupted`: somebody asked it to cancel, so an end without a word is a cancelled run and not a crash.
    """

    run_id: str
    pid: int
    created: float
    workflow: str
    interrupted: bool = False

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return is_alive(self.pid, self.created)


def start(
    paths: ProjectPaths, run_id: str, workflow: str, env: Mapping[str, str], arguments: Sequence[str] = ()
) -> Worker:
    """Start the process of a run. `arguments` are those of `dataflow.workflows.worker` after the run's id."""
    command = [sys.executable, "-m", "dataflow.workflows.worker", run_id, *arguments]
    paths.workers.mkdir(parents=True, exist_ok=True)
    pid = spawn(command, env={**env, WORKER: run_id}, cwd=paths.root, log=_console(paths))
    worker = Worker(run_id, pid, created_at(pid) or 0.0, workflow)
    write_json(_record(paths, run_id), asdict(worker))
    return worker


def find(paths: ProjectPaths, run_id: str) -> Worker | None:
    """The worker of a run; None where it ended in order or never was."""
    with contextlib.suppress(FileNotFoundError, json.JSONDecodeError, TypeError):
        return Worker(**json.loads(_record(paths, run_id).read_text(encoding="utf-8")))
    return None


def all_workers(paths: ProjectPaths) -> list[Worker]:
    """Every worker with a record, alive or crashed."""
    found = (find(paths, record.stem) for record in sorted(paths.workers.glob("*.json")))
    return [worker for worker in found if worker]


def forget(paths: ProjectPaths, run_id: str) -> None:
    """Remove the record: the run's end is written where it belongs."""
    _record(paths, run_id).unlink(missing_ok=True)


def interrupt(paths: ProjectPaths, worker: Worker) -> bool:
    """Ask the worker to cancel its run; False where it is gone."""
    if not worker.alive:
        return False
    write_json(_record(paths, worker.run_id), asdict(replace(worker, interrupted=True)))
    return send_signal(worker.pid, signal.SIGTERM)


def _console(paths: ProjectPaths) -> Path:
    """What workers print, kept in two files of bounded size; their log lines are in files of their own."""
    path = paths.logs / "worker.log"
    if path.exists() and path.stat().st_size > _CONSOLE_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def _record(paths: ProjectPaths, run_id: str) -> Path:
    return paths.workers / f"{run_id}.json"
