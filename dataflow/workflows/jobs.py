"""What runs once before the platform's services, in containers of its own: `python -m dataflow.workflows.jobs JOB`."""

from __future__ import annotations

import os
import sys

from dataflow.errors import DataflowError
from dataflow.shared import logging as pipeline


def buckets() -> None:
    """Make the buckets that DATAFLOW_BUCKETS names, separated by commas. Those that are there stay as they are."""
    from dataflow.shared.minio import ObjectStore

    store = ObjectStore.from_environment()
    for name in filter(None, os.environ.get("DATAFLOW_BUCKETS", "").split(",")):
        store.ensure_bucket(name)
        pipeline.get_logger("dataflow.jobs").info("bucket is there", bucket=name)


def history() -> None:
    """Make the tables of the run history in DAGSTER_HOME's storage, or bring them to this Dagster's version."""
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        instance.upgrade(lambda text: pipeline.get_logger("dataflow.jobs").info(text))


JOBS = {"buckets": buckets, "history": history}


def main(name: str) -> int:
    """Run one job; 1 where it failed, with the reason on its last line."""
    pipeline.configure(service=name)
    try:
        JOBS[name]()
    except DataflowError as error:
        pipeline.get_logger("dataflow.jobs").error(error.message, code=error.code, hint=error.hint)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
