# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""Landing: what a source sent, as Parquet in the object store, before anybody interprets it.

A batch lands at a key made of its id, and the same rows give the same bytes; landing it again writes nothing.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dataflow.errors import SourceError, StorageError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from dataflow.shared.minio import ObjectStore

BATCH_ID = re.compile(r"(?!\.)[\w.=+-]+(?:/(?!\.)[\w.=+-]+)*", re.ASCII)
PARQUET_TYPE = "application/vnd.apache.parquet"


@dataclass(frozen=True, slots=True)
class Landed:
    """Where a batch is. `bytes` is the size of the object; `created` is False when it was there already."""

    key: str
    rows: int
    bytes: int
    created: bool


def land(
    records: Iterable[Mapping[str, Any]] | pa.Table,
    *,
    store: ObjectStore,
    bucket: str,
    prefix: str,
    schema: pa.Schema | None = None,
    batch_id: str,
) -> Landed:
    """Write a batch to `<prefix>/<batch_id>.parquet`; with a schema, keys it does not name are left out.

    Raises:
        UsageError: NAME_INVALID; the batch id cannot be part of a key.
        SourceError: RECORDS_MIXED; a column's values have no common type, or not that of the schema.
        StorageError: as for ObjectStore.put_bytes.
    """
    if not BATCH_ID.fullmatch(batch_id):
        hint = "Use letters, digits and . _ = + - /"
        raise UsageError(f"{batch_id!r} cannot name a batch", code="NAME_INVALID", hint=hint)
    table = _table(records, schema)
    data = _parquet(table)
    key = "/".join(part for part in (prefix.strip("/"), f"{batch_id}.parquet") if part)
    present = _checksum(store, bucket, key) == hashlib.sha256(data).hexdigest()
    if not present:
        store.put_bytes(bucket, key, data, content_type=PARQUET_TYPE)
    return Landed(key, table.num_rows, len(data), created=not present)


def _table(records: Iterable[Mapping[str, Any]] | pa.Table, schema: pa.Schema | None) -> pa.Table:
    import pyarrow as pa

    if isinstance(records, pa.Table):
        table = cast("pa.Table", records)
        return table if schema is None else table.select(schema.names).cast(schema)
    rows = list(records)
    # Not Table.from_pylist: it takes the columns of the first record and drops what only later ones have.
    names = schema.names if schema is not None else list(dict.fromkeys(name for row in rows for name in row))
    arrays = [_column(rows, name, schema.field(name).type if schema is not None else None) for name in names]
    return pa.table(dict(zip(names, arrays, strict=True)), schema=schema)


def _column(rows: list[Mapping[str, Any]], name: str, kind: pa.DataType | None) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array([row.get(name) for row in rows], type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as exc:
        raise SourceError(
            f"The values of {name!r} do not fit {kind or 'one type'}: {exc}",
            code="RECORDS_MIXED",
            hint="Pass a schema, or clean this column before landing",
        ) from exc


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _checksum(store: ObjectStore, bucket: str, key: str) -> str | None:
    try:
        return store.stat(bucket, key).sha256
    except StorageError as exc:
        if exc.code == "OBJECT_MISSING":
            return None
        raise
