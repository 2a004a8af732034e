"""Which version of the workflows the running Dagster has imported."""

from __future__ import annotations

from dataflow.events import ignore
from dataflow.operations.context import Context
from dataflow.system.files import read_state, write_json
from dataflow.system.waiting import wait_until
from dataflow.workflows.catalogue import fingerprint

_RELOAD = 60.0  # seconds Dagster may take to import the workflows again


def refresh(context: Context, workflow: str) -> None:
    """Where the workflows changed since the running Dagster imported them, have it import them again."""
    if is_stale(context):
        context.dagster.reload()
        wait_until(context.dagster.jobs, lambda names: workflow in names, timeout=_RELOAD, interval=0.3)
        remember(context)


def remember(context: Context) -> None:
    """The code server has imported what is there now."""
    write_json(context.paths.run / "code.json", {"fingerprint": fingerprint(context.paths.workflows)})


def is_stale(context: Context) -> bool:
    """Whether a file of a workflow changed since the code server imported them."""
    known = read_state(context.paths.run / "code.json", ignore).get("fingerprint")
    return known != fingerprint(context.paths.workflows)
