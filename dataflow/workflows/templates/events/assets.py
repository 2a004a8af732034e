"""The Dagster side: files of events -> page_views -> dbt: daily, where a late event has its day counted anew."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

from pathlib import Path

import dagster as dg

from dataflow.shared.db import load_arrow, read_connection, transaction, write_connection
from dataflow.shared.quarantine import set_aside
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .ingestion import read
from .settings import Settings
from .transform import believed

FOLDER = Path(__file__).parent
TABLE, QUARANTINE = "raw_workflow_name.page_views", "raw_workflow_name.quarantine"
MAKE = f"""
create schema if not exists raw_workflow_name;
create table if not exists {TABLE} (
    event_id varchar primary key, happened_at timestamptz, received_at timestamptz, visitor varchar, page varchar,
    loaded_at timestamptz
);
create table if not exists {QUARANTINE} (source varchar, line bigint, reason varchar, raw varchar);
"""

settings = load_manifest(FOLDER, Settings).settings


@dg.asset(
    key=["workflow_name", "page_views"],
    group_name="workflow_name",
    kinds={"duckdb"},
    pool="duckdb",  # DuckDB has one writer: this pool has one place
    description=f"{TABLE}: every event once, never changed; what cannot be believed is in {QUARANTINE}.",
)
def page_views(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Add the events that are not there yet, with the moment they came: that is what dbt goes by."""
    new = left = 0
    with write_connection() as connection, transaction(connection):
        connection.execute(MAKE)
        for name, found in read(FOLDER / settings.files):
            parted = believed(found.table, settings)
            load_arrow(connection, parted.valid, into="incoming_workflow_name", mode="replace")
            added = connection.execute(
                f"insert into {TABLE} select *, now() from incoming_workflow_name on conflict do nothing"
            )
            new += added.fetchall()[0][0]
            connection.execute("drop table incoming_workflow_name")
            left += set_aside(
                connection, into=QUARANTINE, source=name, unreadable=found.quarantined, rejected=parted.rejected
            )
    context.log.info(f"{new} new, {left} set aside")
    return dg.MaterializeResult(metadata={"inserted": new, "set_aside": left})


models = dbt_models(FOLDER / "dbt", workflow="workflow_name")


@dg.asset_check(asset=dg.AssetKey(["workflow_name", "workflow_name_daily"]), pool="duckdb")
def no_event_uncounted() -> dg.AssetCheckResult:
    """The days hold as many events as came, also those that came late."""
    question = f"select (select count(*) from {TABLE}), (select coalesce(sum(views), 0) from marts.workflow_name_daily)"
    with read_connection(wait=60) as reader:
        came, counted = reader.connection.execute(question).fetchall()[0]
    return dg.AssetCheckResult(passed=came == counted, metadata={"came": came, "counted": int(counted)})


assets = [page_views, models]
checks = [no_event_uncounted]
