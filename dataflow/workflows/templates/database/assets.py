"""The Dagster side: the other database -> customers -> dbt: by country."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from duckdb import DuckDBPyConnection

from dataflow.shared.db import load_arrow, read_connection, transaction, write_connection
from dataflow.shared.quarantine import set_aside
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .ingestion import SCHEMA, read
from .settings import Settings
from .transform import believed

FOLDER = Path(__file__).parent
TABLE, QUARANTINE = "raw_workflow_name.customers", "raw_workflow_name.quarantine"

settings = load_manifest(FOLDER, Settings).settings


@dg.asset(
    key=["workflow_name", "customers"],
    group_name="workflow_name",
    kinds={"duckdb", settings.source.kind},
    pool="duckdb",  # DuckDB has one writer: this pool has one place
    required_resource_keys={"workflow_name_parameters"},  # the registry makes this resource from config.yaml
    description=f"{TABLE}: customers as they are now; what cannot be believed is in {QUARANTINE}.",
)
def customers(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Take the rows that changed. The table says from when on: a run that fails repeats, and loses nothing."""
    taken = inserted = updated = left = 0
    with write_connection() as connection, transaction(connection):
        since = None if context.resources.workflow_name_parameters.full else cursor(connection)
        for batch in read(settings.source, FOLDER, since):
            parted = believed(batch)
            loaded = load_arrow(connection, parted.valid, into=TABLE, mode="upsert", key=("id",))
            left += set_aside(connection, into=QUARANTINE, source="customers", rejected=parted.rejected)
            taken, inserted = taken + batch.num_rows, inserted + loaded.rows_inserted
            updated += loaded.rows_updated
    context.log.info(f"read from {since or 'the beginning'}: {inserted} new, {updated} changed, {left} set aside")
    return dg.MaterializeResult(
        metadata={"read": taken, "inserted": inserted, "updated": updated, "set_aside": left, "since": str(since)}
    )


def cursor(connection: DuckDBPyConnection) -> datetime | None:
    """From when on rows may have changed; None before the first run."""
    load_arrow(connection, SCHEMA.empty_table(), into=TABLE)
    newest = connection.execute(f"select max(updated_at) from {TABLE}").fetchall()[0][0]
    return newest - timedelta(minutes=settings.overlap_minutes) if newest else None


models = dbt_models(FOLDER / "dbt", workflow="workflow_name")


@dg.asset_check(asset=customers, pool="duckdb")
def every_id_once() -> dg.AssetCheckResult:
    """The key of the other database is a key here."""
    with read_connection(wait=60) as reader:
        row = reader.connection.execute(f"select count(*) - count(distinct id) from {TABLE}").fetchone()
    return dg.AssetCheckResult(passed=row == (0,))


assets = [customers, models]
checks = [every_id_once]
