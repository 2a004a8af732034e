"""Look around in the data: tables with the time they were computed, checks, and what a table looks like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dataflow.clients.glance import AssetSeen, CheckSeen, DataSeen
from dataflow.errors import DataflowError
from dataflow.operations.context import Context
from dataflow.operations.data import QueryResult, Source, Table, query, tables
from dataflow.operations.status import glance_of
from dataflow.shared import db
from dataflow.shared.cancelling import Cancel

_PREVIEW = 200


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table or view, and when the asset of its name was computed last."""

    table: Table
    computed: datetime | None

    @property
    def name(self) -> str:
        """`schema.table`, as it is written in SQL."""
        return f"{self.table.schema}.{self.table.name}"


@dataclass(frozen=True, slots=True)
class KnownTables:
    """What the warehouse holds. `stale`: a run holds the warehouse, and this is as of `as_of`."""

    tables: tuple[KnownTable, ...]
    source: Source
    as_of: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class CheckList:
    """Every check that was carried out at least once, those that failed first."""

    checks: tuple[CheckSeen, ...]


def known_tables(context: Context) -> KnownTables:
    """Every table and view with its age. Raises as `data.tables`; where nobody knows an age there is none."""
    found = tables(context)
    try:
        assets = _seen(context).assets
    except DataflowError:
        assets = ()
    computed = _by_name(assets)
    rows = tuple(
        KnownTable(one, computed.get(f"{one.schema}.{one.name}") or computed.get(one.name)) for one in found.tables
    )
    return KnownTables(rows, found.source, found.as_of, found.stale)


def list_checks(context: Context) -> CheckList:
    """All checks. Raises BackendError BACKEND_DOWN, HISTORY_UNREADABLE."""
    checks = sorted(_seen(context).checks, key=lambda one: (one.passed, one.severity, one.asset, one.name))
    return CheckList(tuple(checks))


def preview(context: Context, table: str, *, cancel: Cancel | None = None) -> QueryResult:
    """The first rows of a table. Raises as `data.query`."""
    return query(context, f"SELECT * FROM {db.qualified(table)}", limit=_PREVIEW, cancel=cancel)


def profile(context: Context, table: str, *, cancel: Cancel | None = None) -> QueryResult:
    """Statistics of each column of a table. Raises as `data.query`."""
    return query(context, f"SUMMARIZE {db.qualified(table)}", limit=1000, cancel=cancel)


def _seen(context: Context) -> DataSeen:
    return glance_of(context, context.engine.observe()).data()


def _by_name(assets: Iterable[AssetSeen]) -> dict[str, datetime | None]:
    """The assets by the names that their tables may have: `orders`, and with a prefix `raw.orders`."""
    found: dict[str, datetime | None] = {}
    for asset in assets:
        parts = asset.key.split("/")
        found[parts[-1]] = asset.computed
        found[".".join(parts[-2:])] = asset.computed
    return found
