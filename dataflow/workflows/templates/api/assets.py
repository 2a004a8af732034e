"""The Dagster side: API -> tickets (through the lake) -> dbt: daily."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

import io
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from dataflow.shared.db import load_arrow, read_connection, write_connection
from dataflow.shared.minio import ObjectStore
from dataflow.shared.quarantine import set_aside
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .ingestion import BUCKET, SCHEMA, land_pages, pages, state_of
from .settings import Settings
from .transform import believed, typed

FOLDER = Path(__file__).parent
TABLE, QUARANTINE = "raw_workflow_name.tickets", "raw_workflow_name.quarantine"

settings = load_manifest(FOLDER, Settings).settings


@dg.asset(
    key=["workflow_name", "tickets"],
    group_name="workflow_name",
    kinds={"s3", "duckdb"},
    pool="duckdb",  # DuckDB has one writer: this pool has one place
    required_resource_keys={"workflow_name_parameters"},  # the registry makes this resource from config.yaml
    description=f"{TABLE}: tickets as they are now; what cannot be believed is in {QUARANTINE}.",
)
def tickets(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Read what is new, load it, and only then remember how far the source was read."""
    store = ObjectStore.from_environment()
    state = state_of(store)
    full = context.resources.workflow_name_parameters.full
    since = None if full else state.load().get("updated_after")
    keys, newest = land_pages(pages(settings.source, since), store, since)
    batches = [pq.read_table(io.BytesIO(store.get_bytes(BUCKET, key))) for key in keys]
    parted = believed(pa.concat_tables(batches) if batches else SCHEMA.empty_table())
    with write_connection() as connection:
        loaded = load_arrow(connection, typed(parted.valid), into=TABLE, mode="upsert", key=("id",))
        left = set_aside(connection, into=QUARANTINE, source=settings.source.kind, rejected=parted.rejected)
    state.save({"updated_after": newest})
    context.log.info(f"{len(keys)} pages: {loaded.rows_inserted} new, {loaded.rows_updated} changed, {left} set aside")
    return dg.MaterializeResult(
        metadata={
            "pages": len(keys),
            "inserted": loaded.rows_inserted,
            "updated": loaded.rows_updated,
            "set_aside": left,
            "newest": newest or "none",
        }
    )


models = dbt_models(FOLDER / "dbt", workflow="workflow_name")


@dg.asset_check(asset=tickets, pool="duckdb")
def none_from_the_future() -> dg.AssetCheckResult:
    """No ticket was made after now."""
    with read_connection(wait=60) as reader:
        row = reader.connection.execute(f"select count(*) from {TABLE} where created_at > now()").fetchone()
    return dg.AssetCheckResult(passed=row == (0,))


assets = [tickets, models]
checks = [none_from_the_future]
