"""Dagster's run launcher of this project: every run, wherever it was asked for, is a worker process of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dagster import DagsterRun, Field
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from dataflow.config.paths import ProjectPaths
from dataflow.system.waiting import wait_until
from dataflow.workflows import fork_server, workers
from dataflow.workflows.fork_server import ForkServer

_CANCEL_SECONDS = 15.0


class WorkerLauncher(RunLauncher[Any], ConfigurableClass):
    """Starts `dataflow.workflows.worker`, watches it by its record, and ends it with SIGTERM.

    Dagster's own launcher makes runs children of the code server: they die with it. Ours do not. In a container every
    process ends with the first one: there `cancel_on_exit` lets runs end in order, as cancelled.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None, *, cancel_on_exit: bool = False) -> None:
        super().__init__()
        self._inst_data = inst_data
        self._paths = ProjectPaths(Path(os.environ["DATAFLOW_PROJECT_DIR"]))
        self._cancel_on_exit = cancel_on_exit
        self._started: list[workers.Worker] = []
        self._forks = ForkServer(self._paths.root, workers.console(self._paths)) if fork_server.SUPPORTED else None

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What dagster.yaml said."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """`cancel_on_exit`."""
        return {"cancel_on_exit": Field(bool, is_required=False, default_value=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> WorkerLauncher:
        """Called by Dagster."""
        return cls(inst_data, **config_value)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the run's process."""
        run = context.dagster_run
        self._started = [worker for worker in self._started if worker.alive]
        self._started.append(workers.start(self._paths, run.run_id, run.job_name, os.environ, (), self._forks))

    def terminate(self, run_id: str) -> bool:
        """Ask the run's process to cancel; False where there is none."""
        run = self._instance.get_run_by_id(run_id)
        worker = workers.find(self._paths, run_id)
        if run is None or run.is_finished or worker is None:
            return False
        self._instance.report_run_canceling(run)
        return workers.interrupt(self._paths, worker)

    def dispose(self) -> None:
        """The process that started the runs ends."""
        if not self._cancel_on_exit:
            return
        left = [worker for worker in self._started if workers.interrupt(self._paths, worker)]
        wait_until(lambda: any(worker.alive for worker in left), lambda alive: not alive, timeout=_CANCEL_SECONDS)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring marks runs whose process died."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Alive, or gone without having said how the run ended."""
        worker = workers.find(self._paths, run.run_id)
        if worker and worker.alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "The run's process ended without a word: killed or crashed.")
