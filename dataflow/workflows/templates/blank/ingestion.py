"""Where the rows come from: read here, judge in transform.py."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dataflow.shared.ingest import ReadResult, read_csv

FILE = Path(__file__).parent / "sample" / "measurements.csv"
SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "measured_at": pa.timestamp("us", tz="UTC"),
        "place": pa.string(),
        "value": pa.float64(),
    }
)


def read(path: Path = FILE) -> ReadResult:
    """Every row that fits the schema; the others with their line and the reason."""
    return read_csv(path, schema=SCHEMA)
