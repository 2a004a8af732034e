"""Make a run in the run history while Dagster is down; its web server does the same when it is asked for a run.

A retry knows its parent as Dagster's own does: by parent and root, and by the tag that says which steps are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dagster as dg
    from dagster._core.definitions.reconstruct import ReconstructableJob


def make(
    instance: dg.DagsterInstance,
    job: ReconstructableJob,
    run_id: str,
    config: Mapping[str, Any],
    tags: Mapping[str, str],
    assets: Sequence[str],
) -> dg.DagsterRun:
    """A new run of a job, or of some of its assets."""
    import dagster as dg

    chosen = frozenset(dg.AssetKey.from_user_string(name) for name in assets) or None
    part = job.get_subset(asset_selection=chosen) if chosen else job
    return instance.create_run_for_job(
        job_def=part.get_definition(), run_id=run_id, run_config=config, tags=tags, asset_selection=chosen
    )


def retry(
    instance: dg.DagsterInstance, job: ReconstructableJob, run_id: str, parent_id: str, *, from_failure: bool
) -> dg.DagsterRun:
    """A run with the parameters, assets and tags of an earlier one: all of it, or only the steps that did not succeed.

    Raises:
        DagsterError: the history has no such run, or the code no longer has a step of it.
    """
    from dagster._core.errors import DagsterRunNotFoundError
    from dagster._core.execution.api import create_execution_plan
    from dagster._core.execution.plan.state import KnownExecutionState

    parent = instance.get_run_by_id(parent_id)
    if parent is None:
        raise DagsterRunNotFoundError(f"There is no run {parent_id}.", invalid_run_id=parent_id)
    if parent.asset_selection:
        job = job.get_subset(asset_selection=parent.asset_selection)
    plan = None
    if from_failure:
        steps, known = KnownExecutionState.build_resume_retry_reexecution(instance, parent)
        plan = create_execution_plan(
            job, parent.run_config, step_keys_to_execute=steps, known_state=known, tags=parent.tags
        )
    root = parent.root_run_id or parent.run_id
    return instance.create_run_for_job(
        job_def=job.get_definition(),
        execution_plan=plan,
        run_id=run_id,
        run_config=parent.run_config,
        tags=_tags(parent, root, from_failure=from_failure),
        asset_selection=parent.asset_selection,
        root_run_id=root,
        parent_run_id=parent.run_id,
    )


def _tags(parent: dg.DagsterRun, root: str, *, from_failure: bool) -> dict[str, str]:
    from dagster._core.storage.tags import (
        PARENT_RUN_ID_TAG,
        RESUME_RETRY_TAG,
        ROOT_RUN_ID_TAG,
        TAGS_TO_MAYBE_OMIT_ON_RETRY,
    )

    kept = {name: value for name, value in parent.tags.items() if name not in TAGS_TO_MAYBE_OMIT_ON_RETRY}
    retried = {RESUME_RETRY_TAG: "true"} if from_failure else {}
    return {**kept, PARENT_RUN_ID_TAG: parent.run_id, ROOT_RUN_ID_TAG: root, **retried}
