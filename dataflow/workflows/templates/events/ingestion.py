"""Events from files of JSON lines: one event a line, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from dataflow.shared.ingest import ReadResult, read_json

SCHEMA = pa.schema(
    {
        "event_id": pa.string(),
        "happened_at": pa.timestamp("us", tz="UTC"),
        "received_at": pa.timestamp("us", tz="UTC"),
        "visitor": pa.string(),
        "page": pa.string(),
    }
)


def read(folder: Path) -> Iterator[tuple[str, ReadResult]]:
    """Each file's name with its events; the lines that are none with the reason."""
    for path in sorted(folder.glob("*.jsonl")):
        yield path.name, read_json(path, schema=SCHEMA)
