"""Getting data in: from HTTP sources and files, to Parquet in the object store, resumable and idempotent."""

from __future__ import annotations

from dataflow.shared.http_source import HttpSource
from dataflow.shared.ingest_state import IngestState
from dataflow.shared.landing import Landed, land
from dataflow.shared.paging import CursorPaging, LinkHeaderPaging, Page, PageNumberPaging, Paging, ParameterPaging

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
    "land",
]
