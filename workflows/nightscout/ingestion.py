"""From the source to the lake: raw documents as Parquet, each batch once, a broken-off read resumed where it broke.

A landed object has three columns: `document` (JSON as the source sent it), `source` and `line` (where it stood). Its
name is the hash of its content, so reading the same thing again lands nothing. The progress of a site is kept beside
the objects and saved after each page: a crash can repeat one page, never skip one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from . import export, nightscout_api
from .collection import Collection
from .progress import Progress
from .settings import ApiSource, FileSource

if TYPE_CHECKING:
    import pyarrow as pa

    from dataflow.shared.minio import ObjectStore

BUCKET = "lake"
BATCH = 50_000  # documents of an export in one object: about 15 MB of text in memory


@dataclass(frozen=True, slots=True)
class Landed:
    """What one read brought: documents seen, objects written, objects that were there already."""

    documents: int = 0
    created: int = 0
    known: int = 0

    def __add__(self, other: Landed) -> Landed:
        return Landed(self.documents + other.documents, self.created + other.created, self.known + other.known)


def land_export(source: FileSource, collection: Collection, store: ObjectStore, *, folder: Path) -> Landed:
    """Land an export file, batch by batch. A path in the settings is relative to `folder`.

    Raises:
        SourceError: EXPORT_MISSING, EXPORT_UNREADABLE.
        StorageError: the object store refused.
    """
    path = source.entries if collection.name == "entries" else source.treatments
    if path is None:
        return Landed()
    documents = export.documents(folder / path)
    total = Landed()
    while batch := list(islice(documents, BATCH)):
        total += _land(batch, path.name, collection, store)
    return total


def land_site(
    source: ApiSource, collection: Collection, store: ObjectStore, *, full: bool = False, history_days: int = 0
) -> Landed:
    """Land what a site has new: first the rest of a read that broke off, then everything since the newest document.

    Args:
        source: The site.
        collection: Entries or treatments.
        store: Where the documents and the progress go.
        full: Forget the progress and read the whole history.
        history_days: How far back a first or full read goes; 0 means to the beginning.

    Raises:
        ConfigurationError: SECRET_MISSING.
        SourceError: the site refused, did not answer or sent nonsense. What was read until then is kept.
        StorageError: the object store refused.
    """
    from dataflow.shared.ingest import IngestState

    site = hashlib.sha256(str(source.url).encode()).hexdigest()[:12]  # another site has a progress of its own
    kept = IngestState(store, BUCKET, f"nightscout/state/{site}-{collection.name}.json")
    store.ensure_bucket(BUCKET)
    progress = Progress() if full else Progress.read(kept.load())
    now = datetime.now(UTC)
    overlap = timedelta(hours=source.overlap_hours)
    first = timedelta(days=history_days) if history_days else None
    total = Landed()
    with nightscout_api.connect(source) as api:
        for span in progress.spans(collection, now=now, overlap=overlap, first=first):
            for documents, rest in nightscout_api.pages(api, collection, span, count=source.page_size):
                batch = [(number, json.dumps(document)) for number, document in enumerate(documents, start=1)]
                total += _land(batch, collection.path, collection, store)
                progress = progress.after(documents, collection, rest, latest=collection.bound(now))
                kept.save(progress.write())
    return total


def _land(batch: Iterable[tuple[int, str]], source: str, collection: Collection, store: ObjectStore) -> Landed:
    """Land one batch under the hash of its documents."""
    from dataflow.shared.ingest import land

    table = _table(list(batch), source)
    if not table.num_rows:
        return Landed()
    digest = hashlib.sha256("\n".join(table["document"].to_pylist()).encode()).hexdigest()[:24]
    store.ensure_bucket(BUCKET)
    landed = land(table, store=store, bucket=BUCKET, prefix=collection.prefix, schema=None, batch_id=digest)
    return Landed(table.num_rows, int(landed.created), int(not landed.created))


def _table(batch: list[tuple[int, str]], source: str) -> pa.Table:
    import pyarrow as pa

    lines, documents = [line for line, _ in batch], [document for _, document in batch]
    columns = {"source": [source] * len(batch), "line": lines, "document": documents}
    return pa.table(columns, schema=pa.schema({"source": pa.string(), "line": pa.int64(), "document": pa.string()}))
