"""Getting data in: from HTTP sources and files, to Parquet in the object store, resumable and idempotent."""

from __future__ import annotations

from dataflow.shared.csv_reader import read_csv
from dataflow.shared.http_source import HttpSource
from dataflow.shared.ingest_state import IngestState
from dataflow.shared.json_reader import read_json
from dataflow.shared.landing import Landed, land
from dataflow.shared.paging import CursorPaging, LinkHeaderPaging, Page, PageNumberPaging, Paging, ParameterPaging
from dataflow.shared.parquet_reader import read_parquet
from dataflow.shared.read_result import ReadResult
from dataflow.shared.text_files import RowError

__all__ = [
    "CursorPaging",
    "HttpSource",
    "IngestState",
    "Landed",
    "LinkHeaderPaging",
    "Page",
    "PageNumberPaging",
    "Paging",
    "ParameterPaging",
    "ReadResult",
    "RowError",
    "land",
    "read_csv",
    "read_json",
    "read_parquet",
]
