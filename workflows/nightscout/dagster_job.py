"""The workflow, registered: `dataflow workflow run nightscout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.workflows.registry import register_workflow

from .settings import Settings

if TYPE_CHECKING:
    import dagster as dg


@register_workflow(
    name="nightscout",
    description="Glucose readings from Nightscout, cleaned and summed up by day: time in range, mean, GMI, spread.",
    tags=("health", "example"),
    schedule="15 6 * * *",
    settings=Settings,
)
def nightscout() -> dg.Definitions:
    """Build the definitions; the registry adds the job, the schedule and the parameters."""
    import dagster as dg

    from .assets import assets, checks

    return dg.Definitions(assets=assets, asset_checks=[checks])
