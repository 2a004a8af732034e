"""Files of the inbox to the lake: each content once, as Parquet, whatever the file was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dataflow.shared.ingest import ReadResult, land, read_csv, read_json, read_parquet
from dataflow.shared.minio import ObjectStore

from .settings import Settings

BUCKET, PREFIX = "lake", "workflow_name"
SCHEMA = pa.schema(
    {
        "order_id": pa.int64(),
        "ordered_at": pa.timestamp("us", tz="UTC"),
        "customer": pa.string(),
        "amount": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file as it is now. `digest` is of its content."""

    path: Path
    digest: str

    @property
    def key(self) -> str:
        """Where its rows are in the lake."""
        return f"{PREFIX}/{self.batch}.parquet"

    @property
    def batch(self) -> str:
        """The id of its batch: another content is another batch."""
        return f"content-{self.digest[:16]}"


def inbox(settings: Settings, folder: Path) -> Iterator[Dropped]:
    """The files that are there, by name."""
    place = folder / settings.inbox
    for path in sorted({path for pattern in settings.patterns for path in place.glob(pattern)}):
        yield Dropped(path, hashlib.sha256(path.read_bytes()).hexdigest())


def read(path: Path) -> ReadResult:
    """Every row that fits the schema; the others with their line and the reason."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return read_parquet(path, schema=SCHEMA)
    return read_csv(path, schema=SCHEMA) if name.endswith(".csv") else read_json(path, schema=SCHEMA)


def land_file(dropped: Dropped, found: ReadResult, store: ObjectStore) -> None:
    """Bring a file's rows to the lake."""
    land(found.table, store=store, bucket=BUCKET, prefix=PREFIX, batch_id=dropped.batch)
