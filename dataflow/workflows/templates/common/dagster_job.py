"""The workflow, registered: `dataflow workflow run workflow_name`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.workflows.registry import register_workflow

from .settings import Settings

if TYPE_CHECKING:
    import dagster as dg


@register_workflow(
    name="workflow_name",
    description="workflow_description",
    # schedule="15 6 * * *",  # cron, in UTC
    settings=Settings,
)
def workflow_name() -> dg.Definitions:
    """Build the definitions; the registry adds the job, the schedule and the parameters."""
    import dagster as dg

    from .assets import assets, checks

    return dg.Definitions(assets=assets, asset_checks=checks)
