"""The Dagster side: sample/measurements.csv -> measurements -> dbt: daily."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

from pathlib import Path

import dagster as dg

from dataflow.shared.db import load_arrow, read_connection, write_connection
from dataflow.shared.quarantine import set_aside
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .ingestion import FILE, read
from .settings import Settings
from .transform import believed

FOLDER = Path(__file__).parent
TABLE, QUARANTINE = "raw_workflow_name.measurements", "raw_workflow_name.quarantine"

settings = load_manifest(FOLDER, Settings).settings


@dg.asset(
    key=["workflow_name", "measurements"],
    group_name="workflow_name",
    kinds={"duckdb"},
    pool="duckdb",  # DuckDB has one writer: this pool has one place
    description=f"{TABLE}: measurements, once each; what cannot be believed is in {QUARANTINE}.",
)
def measurements(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Read, judge, load. A second run changes nothing."""
    found = read()
    parted = believed(found.table, settings)
    with write_connection() as connection:
        loaded = load_arrow(connection, parted.valid, into=TABLE, mode="upsert", key=("id",))
        left = set_aside(
            connection, into=QUARANTINE, source=FILE.name, unreadable=found.quarantined, rejected=parted.rejected
        )
    context.log.info(f"{loaded.rows_inserted} new, {loaded.rows_updated} changed, {left} set aside")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": parted.valid.num_rows,
            "inserted": loaded.rows_inserted,
            "updated": loaded.rows_updated,
            "set_aside": left,
        }
    )


models = dbt_models(FOLDER / "dbt", workflow="workflow_name")


@dg.asset_check(asset=measurements, pool="duckdb")
def few_set_aside() -> dg.AssetCheckResult:
    """Most rows can be believed."""
    question = f"select (select count(*) from {QUARANTINE}), (select count(*) from {TABLE})"
    with read_connection(wait=60) as reader:
        bad, good = reader.connection.execute(question).fetchall()[0]
    share = 100.0 * bad / max(bad + good, 1)
    return dg.AssetCheckResult(passed=share <= settings.max_set_aside_pct, metadata={"share_pct": share})


assets = [measurements, models]
checks = [few_set_aside]
