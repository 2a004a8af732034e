"""The Dagster side: inbox -> landed -> orders -> dbt: daily."""

# No `from __future__ import annotations` here: Dagster looks at the annotation of `context` itself.

import tempfile
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from dataflow.shared.db import load_arrow, read_connection, transaction, write_connection
from dataflow.shared.minio import ObjectStore
from dataflow.shared.quarantine import set_aside
from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.manifest import load_manifest

from .ingestion import BUCKET, Dropped, inbox, land_file, read
from .settings import Settings
from .transform import believed

FOLDER = Path(__file__).parent
SCHEMA = "raw_workflow_name"
TABLE, QUARANTINE, FILES = f"{SCHEMA}.orders", f"{SCHEMA}.quarantine", f"{SCHEMA}.files"
MAKE = f"""
create schema if not exists {SCHEMA};
create table if not exists {FILES} (name varchar primary key, digest varchar, loaded_at timestamptz);
create table if not exists {QUARANTINE} (source varchar, line bigint, reason varchar, raw varchar);
"""

settings = load_manifest(FOLDER, Settings).settings


@dg.asset(key=["workflow_name", "landed"], group_name="workflow_name", kinds={"s3", "parquet"}, pool="duckdb")
def landed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The rows of every file, as Parquet in the lake. What cannot be read is set aside with its line."""
    store = ObjectStore.from_environment()
    files = list(inbox(settings, FOLDER))
    new = [dropped for dropped in files if not store.exists(BUCKET, dropped.key)]
    for dropped in new:
        found = read(dropped.path)
        with write_connection() as connection, transaction(connection):
            connection.execute(MAKE)
            connection.execute(f"delete from {QUARANTINE} where source = ?", [dropped.path.name])
            set_aside(connection, into=QUARANTINE, source=dropped.path.name, unreadable=found.quarantined)
        land_file(dropped, found, store)  # last: where it is there, all of the above has been done
    context.log.info(f"{len(files)} files, {len(new)} of them new")
    return dg.MaterializeResult(metadata={"files": len(files), "new": len(new)})


@dg.asset(
    key=["workflow_name", "orders"],
    deps=[landed],
    group_name="workflow_name",
    kinds={"duckdb"},
    pool="duckdb",  # DuckDB has one writer: this pool has one place
    description=f"{TABLE}: the rows of all files. A file that changed takes the place of what it was.",
)
def orders(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Load files whose content is not in the table yet."""
    store = ObjectStore.from_environment()
    loaded = 0
    for dropped in inbox(settings, FOLDER):
        if load(dropped, store):
            context.log.info(f"loaded {dropped.path.name}")
            loaded += 1
    with read_connection(wait=60) as reader:
        rows = reader.connection.execute(f"select count(*) from {TABLE}").fetchall()[0][0]
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, "files_loaded": loaded})


def load(dropped: Dropped, store: ObjectStore) -> bool:
    """Put a file's rows into the table, in one transaction; False where they are in it."""
    name = dropped.path.name
    with write_connection() as connection, transaction(connection):
        connection.execute(MAKE)
        known = connection.execute(f"select 1 from {FILES} where name = ? and digest = ?", [name, dropped.digest])
        if known.fetchall():
            return False
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "rows.parquet"
            store.download(BUCKET, dropped.key, file)
            parted = believed(pq.read_table(file))
        rows = parted.valid.append_column("source_file", [[name] * parted.valid.num_rows])
        load_arrow(connection, rows.slice(0, 0), into=TABLE)  # so that it is there to delete from
        connection.execute(f"delete from {TABLE} where source_file = ?", [name])
        load_arrow(connection, rows, into=TABLE)
        set_aside(connection, into=QUARANTINE, source=name, rejected=parted.rejected)
        connection.execute(f"insert or replace into {FILES} values (?, ?, now())", [name, dropped.digest])
    return True


models = dbt_models(FOLDER / "dbt", workflow="workflow_name")


@dg.asset_check(asset=orders, pool="duckdb")
def few_set_aside() -> dg.AssetCheckResult:
    """Most rows can be believed."""
    question = f"select (select count(*) from {QUARANTINE}), (select count(*) from {TABLE})"
    with read_connection(wait=60) as reader:
        bad, good = reader.connection.execute(question).fetchall()[0]
    share = 100.0 * bad / max(bad + good, 1)
    return dg.AssetCheckResult(passed=share <= settings.max_set_aside_pct, metadata={"share_pct": share})


assets = [landed, orders, models]
checks = [few_set_aside]
