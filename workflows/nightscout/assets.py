"""The Dagster side: four assets in Python, the dbt models, and three checks.

source -> landed_entries    -> entries    -> stg_nightscout__entries    -> nightscout_readings -> nightscout_daily
source -> landed_treatments -> treatments -> stg_nightscout__treatments ------------------------^  nightscout_profile
"""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from dataflow.shared.db import read_connection
from dataflow.shared.minio import ObjectStore
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .collection import ENTRIES, TREATMENTS, Collection
from .ingestion import BUCKET, land_export, land_site
from .loading import QUARANTINE, SCHEMA, load_collection
from .settings import ApiSource, Settings

FOLDER = Path(__file__).parent
GROUP = "nightscout"
PARAMETERS = "nightscout_parameters"  # the registry makes this resource from config.yaml

settings = load_manifest(FOLDER, Settings).settings


def landing(collection: Collection) -> dg.AssetsDefinition:
    """Build the asset that brings a collection from the source to the lake."""

    @dg.asset(
        key=[GROUP, f"landed_{collection.name}"],
        group_name=GROUP,
        kinds={"s3", "parquet"},
        required_resource_keys={PARAMETERS},
        description=f"Nightscout's {collection.name} as they were sent, as Parquet: {BUCKET}/{collection.prefix}.",
    )
    def landed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        parameters = getattr(context.resources, PARAMETERS)
        store, source = ObjectStore.from_environment(), settings.source
        if isinstance(source, ApiSource):
            result = land_site(source, collection, store, full=parameters.full, history_days=parameters.history_days)
        else:
            result = land_export(source, collection, store, folder=FOLDER)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": result.documents,
                "objects_created": result.created,
                "objects_known": result.known,
                "place": f"s3://{BUCKET}/{collection.prefix}",
            }
        )

    return landed


def loading(collection: Collection) -> dg.AssetsDefinition:
    """Build the asset that brings a collection from the lake to the warehouse."""

    @dg.asset(
        key=[GROUP, collection.name],
        deps=[dg.AssetKey([GROUP, f"landed_{collection.name}"])],
        group_name=GROUP,
        kinds={"duckdb"},
        pool="duckdb",  # DuckDB has one writer: this pool has one place
        required_resource_keys={PARAMETERS},
        description=f"{SCHEMA}.{collection.name}: typed documents; what cannot be believed is in {QUARANTINE}.",
    )
    def loaded(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        reload = getattr(context.resources, PARAMETERS).reload
        result = load_collection(ObjectStore.from_environment(), collection, reload=reload)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": result.rows,
                "inserted": result.inserted,
                "updated": result.updated,
                "quarantined": result.quarantined,
                "objects_loaded": result.objects,
                "newest": dg.MetadataValue.text(f"{result.newest or 'none'} UTC"),
            }
        )

    return loaded


models = dbt_models(
    FOLDER / "dbt",
    workflow=GROUP,
    variables={"timezone": settings.timezone, "reading_minutes": settings.reading_minutes},
)

assets = [landing(ENTRIES), landing(TREATMENTS), loading(ENTRIES), loading(TREATMENTS), models]


@dg.multi_asset_check(
    name="nightscout_checks",
    specs=[
        dg.AssetCheckSpec(
            "few_quarantined",
            asset=dg.AssetKey([GROUP, "entries"]),
            description=f"At most {settings.max_quarantined_pct:g} % of the documents cannot be believed.",
        ),
        dg.AssetCheckSpec(
            "no_reading_lost",
            asset=dg.AssetKey([GROUP, "nightscout_readings"]),
            description="De-duplication keeps exactly one reading of each slot that has any.",
        ),
        dg.AssetCheckSpec(
            "fresh",
            asset=dg.AssetKey([GROUP, "nightscout_daily"]),
            description=f"A site has a reading of the last {settings.stale_after_hours} h; an export may be any age.",
        ),
    ],
    can_subset=True,  # a run of chosen assets asks only about these
    pool="duckdb",
)
def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Ask the warehouse three questions that dbt's tests cannot: each looks at more than one table, or at the clock."""
    with read_connection(wait=60) as reader:
        row = reader.connection.execute(CHECKS).fetchall()[0]
    asked = {key.name for key in context.selected_asset_check_keys}
    results = (_few_quarantined(row[0], row[1]), _no_reading_lost(row[2], row[3]), _fresh(row[4]))
    yield from (result for result in results if result.check_name in asked)


CHECKS = f"""
select
    (select count(*) from {QUARANTINE} where collection = 'entries'),
    (select count(*) from {SCHEMA}.entries),
    (select count(distinct time_bucket(interval '{settings.reading_minutes} minutes', measured_at_utc))
     from {SCHEMA}.entries where type = 'sgv'),
    (select count(*) from marts.nightscout_readings),
    (select max(measured_at_utc) from marts.nightscout_readings)
"""


def _few_quarantined(quarantined: int, good: int) -> dg.AssetCheckResult:
    share = 100.0 * quarantined / max(quarantined + good, 1)
    return dg.AssetCheckResult(
        check_name="few_quarantined",
        asset_key=dg.AssetKey([GROUP, "entries"]),
        passed=share <= settings.max_quarantined_pct,
        metadata={"quarantined": quarantined, "share_pct": round(share, 3), "bound_pct": settings.max_quarantined_pct},
    )


def _no_reading_lost(slots: int, readings: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="no_reading_lost",
        asset_key=dg.AssetKey([GROUP, "nightscout_readings"]),
        passed=slots == readings,
        metadata={"slots_with_readings": slots, "readings": readings},
    )


def _fresh(newest: datetime | None) -> dg.AssetCheckResult:
    """Judge the age of the newest reading. That of an export says nothing about the workflow, so it only informs."""
    site = isinstance(settings.source, ApiSource)
    bound = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=settings.stale_after_hours)
    return dg.AssetCheckResult(
        check_name="fresh",
        asset_key=dg.AssetKey([GROUP, "nightscout_daily"]),
        passed=newest is not None and (not site or newest >= bound),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest": f"{newest or 'none'} UTC", "source": settings.source.kind},
    )
