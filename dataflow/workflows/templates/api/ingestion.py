"""From the API to the lake: page by page, from where the last run came to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflow.shared.ingest import HttpSource, IngestState, Page, PageNumberPaging, land
from dataflow.shared.minio import ObjectStore

from .settings import ApiSource, SampleSource

BUCKET, PREFIX = "lake", "workflow_name"
SAMPLE = Path(__file__).parent / "sample" / "tickets.json"
# As the source sends them: what they mean is decided in transform.py.
SCHEMA = pa.schema({name: pa.string() for name in ("id", "title", "state", "created_at", "updated_at", "hours")})


def state_of(store: ObjectStore) -> IngestState:
    """How far the source has been read, beside the data."""
    return IngestState(store, BUCKET, f"{PREFIX}/state.json")


def pages(source: SampleSource | ApiSource, since: str | None) -> Iterator[Page]:
    """The pages of tickets that changed after `since`, the oldest change first."""
    if isinstance(source, SampleSource):
        rows = [row for row in json.loads(SAMPLE.read_text(encoding="utf-8")) if row["updated_at"] > (since or "")]
        yield Page(1, sorted(rows, key=lambda row: row["updated_at"]))
        return
    token = os.environ.get("WORKFLOW_NAME_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    paging = PageNumberPaging(size_parameter="per_page", size=source.page_size)
    with HttpSource(source.url, headers=headers, rate_limit=source.requests_per_second) as http:
        yield from http.pages(source.path, params={"updated_after": since} if since else {}, paging=paging)


def land_pages(found: Iterator[Page], store: ObjectStore, since: str | None) -> tuple[list[str], str | None]:
    """The keys of what landed, and the newest change in it. The same page again lands on itself."""
    keys: list[str] = []
    newest = since
    for page in found:
        if not page.records:
            continue
        batch = f"after-{_plain(since or 'nothing')}/page-{page.number:05}"
        rows = [_text(record) for record in page.records]
        keys.append(land(rows, store=store, bucket=BUCKET, prefix=PREFIX, schema=SCHEMA, batch_id=batch).key)
        newest = max([row["updated_at"] for row in rows if row["updated_at"]] + ([newest] if newest else []))
    return keys, newest


def _text(record: dict[str, Any]) -> dict[str, str | None]:
    return {name: None if record.get(name) is None else str(record[name]) for name in SCHEMA.names}


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)
