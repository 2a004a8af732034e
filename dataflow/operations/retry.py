"""Ask for an earlier run once more: all of it, or only what did not succeed."""

from __future__ import annotations

from dataflow.errors import Action, UsageError
from dataflow.events import Noted, Report
from dataflow.models import FINISHED, Run
from dataflow.operations import code, preflight
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.operations.run import WHERE, Launched, carried_by, start
from dataflow.operations.runs import find_run, reconcile
from dataflow.operations.workflows import find_workflow


def retry(context: Context, run_id: str, report: Report, *, from_failure: bool = False) -> Launched:
    """Start a run with the parameters, assets and tags of an earlier one.

    Args:
        context: The project.
        run_id: The earlier run's id, the beginning of it, or `last`.
        report: Where to tell which run was started.
        from_failure: Leave out the steps that succeeded; their results stay.

    Raises:
        UsageError: RUN_UNKNOWN, RUN_UNFINISHED, NOTHING_FAILED, WORKFLOW_UNKNOWN, RUN_REFUSED.
        ConfigurationError: WORKFLOW_BROKEN, SECRET_MISSING.
        MissingError: SERVICE_DOWN.
    """
    reconcile(context)
    before = find_run(context, context.history(), run_id)
    _require_end(before, from_failure=from_failure)
    info = find_workflow(context, before.workflow)
    through = carried_by(context)
    preflight.require_secrets(context, info)
    preflight.require_services(context, info)
    with audited(context, "workflow retry", before.id):
        if through == "dagster":
            code.refresh(context, info.name)
            new = context.dagster.retry(before, from_failure=from_failure)
        else:
            new = start(context, info, "--retry", before.id, *(["--from-failure"] if from_failure else []))
    what = "what did not succeed" if from_failure else "all"
    report(Noted(f"Run {new[:8]} of {info.name}, {what} of {before.id[:8]}, {WHERE[through]}."))
    return Launched(info.name, new, through, {}, ())


def _require_end(run: Run, *, from_failure: bool) -> None:
    short = run.id[:8]
    if run.state not in FINISHED:
        actions = (
            Action("Follow it", f"dataflow workflow logs {short} --follow"),
            Action("Cancel it first", f"dataflow workflow cancel {short}"),
        )
        raise UsageError(f"The run {short} has not ended: {run.state}.", code="RUN_UNFINISHED", actions=actions)
    if from_failure and run.state == "success":
        actions = (Action("Run all of it again", f"dataflow workflow retry {short}"),)
        raise UsageError(f"Nothing failed in the run {short}.", code="NOTHING_FAILED", actions=actions)
