"""One run of one workflow, in a process of its own. Started as `python -m dataflow.workflows.worker RUN_ID`.

With `--workflow` the run does not exist yet and is made first: that is how `dataflow workflow run` works while
Dagster is down. History, logs and cancelling are the same either way.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.config.paths import ProjectPaths
from dataflow.errors import DataflowError
from dataflow.shared import logging as pipeline
from dataflow.workflows import blocked_steps, log_room, new_runs, workers

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.definitions.reconstruct import ReconstructableJob


def main(arguments: list[str]) -> int:
    """Carry the run out; 0 where it succeeded, 1 where it did not."""
    options = _parse(arguments)
    paths = ProjectPaths(Path(os.environ["DATAFLOW_PROJECT_DIR"]))
    people = sys.stderr if options.attended else None
    if people:  # Dagster tells the same at length: that goes where it goes in any other run
        sys.stderr = workers.console(paths).open("a", encoding="utf-8")
    pipeline.configure(service="worker", path=paths.run_logs / f"{options.run_id}.jsonl", level="DEBUG", people=people)

    for name in ("alembic", "asyncio"):  # Dagster's storages open with their chatter
        logging.getLogger(name).setLevel(logging.WARNING)

    logging.getLogger("dagster.builtin").propagate = False  # context.log reaches us through ToPipeline

    from dagster import BetaWarning, DagsterExecutionInterruptedError, DagsterInstance
    from dagster._utils.interrupts import setup_interrupt_handlers

    warnings.simplefilter("ignore", BetaWarning)  # the log handler in dagster.yaml, pinned with Dagster itself
    blocked_steps.mend()
    setup_interrupt_handlers()  # SIGTERM ends a run as Ctrl-C does: cancelled, in order
    workers.heed_interrupts(paths, options.run_id)
    with pipeline.bound(run_id=options.run_id), DagsterInstance.get() as instance:
        try:
            return _carry_out(options, instance, paths)
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            _write_cancelled(instance, options.run_id)
            return 1
        finally:
            workers.forget(paths, options.run_id)
            _make_room(paths)


def _write_cancelled(instance: dg.DagsterInstance, run_id: str) -> None:
    """While it executes, Dagster says so itself; before and after, nobody would."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished:
        instance.report_run_canceled(run, message="Cancelled before its first step had begun.")


def _make_room(paths: ProjectPaths) -> None:
    """Logs of older runs go when there are too many."""
    days, megabytes = os.environ.get(log_room.KEEP_DAYS), os.environ.get(log_room.MAX_MB)
    if days and megabytes:
        log_room.prune(paths, keep_days=float(days), max_mb=float(megabytes))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dataflow.workflows.worker")
    parser.add_argument("run_id")
    parser.add_argument("--workflow")
    parser.add_argument("--attended", action="store_true", help="Tell what it does on stderr, too.")
    parser.add_argument("--config", type=json.loads, default={})
    parser.add_argument("--tags", type=json.loads, default={})
    parser.add_argument("--assets", type=json.loads, default=[])
    parser.add_argument("--retry", metavar="RUN_ID")
    parser.add_argument("--from-failure", action="store_true")
    return parser.parse_args(arguments)


def _carry_out(options: argparse.Namespace, instance: dg.DagsterInstance, paths: ProjectPaths) -> int:
    run = instance.get_run_by_id(options.run_id)
    job = _job(options.workflow or (run.job_name if run else ""), paths)
    if run is None and options.retry:
        run = new_runs.retry(instance, job, options.run_id, options.retry, from_failure=options.from_failure)
    elif run is None:
        run = new_runs.make(instance, job, options.run_id, options.config, options.tags, options.assets)
    if run.is_finished:  # cancelled before this process was there
        return 1
    if run.asset_selection or run.asset_check_selection:
        job = job.get_subset(asset_selection=run.asset_selection, asset_check_selection=run.asset_check_selection)
    with pipeline.bound(workflow=run.job_name, job=run.job_name):
        succeeded = _execute(job, run, instance)
        _publish()
    return 0 if succeeded else 1


def _job(name: str, paths: ProjectPaths) -> ReconstructableJob:
    from dagster._core.definitions.reconstruct import ReconstructableRepository

    repository = ReconstructableRepository.for_module(
        "dataflow.dagster_repo", "defs", working_directory=str(paths.root)
    )
    return repository.get_reconstructable_job(name)


def _execute(job: ReconstructableJob, run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Run to the end. Dagster writes a failure to the run's events before it raises."""
    from dagster._core.execution.api import execute_run_iterator

    succeeded = False
    for event in execute_run_iterator(job, run, instance):
        succeeded = event.event_type_value == "PIPELINE_SUCCESS"
    return succeeded


def _publish() -> None:
    """Give readers what this run wrote. A snapshot that cannot be had is a warning: the data is safe."""
    from dataflow.shared import db, snapshot

    log: Any = pipeline.get_logger("dataflow.worker")
    if not db.warehouse_path().exists():
        return
    try:
        published = snapshot.publish()
    except DataflowError as error:
        log.warning("snapshot not published", code=error.code, reason=error.message)
    else:
        log.info("snapshot published", changed=published.changed, tables=len(published.tables), rows=published.rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
