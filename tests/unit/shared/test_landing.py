"""Landing and ingestion state in a real object store."""

from __future__ import annotations

import io
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflow.errors import SourceError, UsageError
from dataflow.shared.ingest import IngestState, land
from dataflow.shared.minio import ObjectStore

ROWS = [{"id": 1, "v": "a"}, {"id": 2, "v": None, "late": {"x": 1.5}}]


@pytest.fixture
def prefix() -> str:
    return f"land/{uuid.uuid4().hex}"


def read(store: ObjectStore, key: str) -> pa.Table:
    return pq.read_table(io.BytesIO(store.get_bytes("raw", key)))


def test_records_land_with_every_column_any_record_has(store: ObjectStore, prefix: str) -> None:
    landed = land(ROWS, store=store, bucket="raw", prefix=prefix, batch_id="p1")
    assert (landed.key, landed.rows, landed.created) == (f"{prefix}/p1.parquet", 2, True)
    assert read(store, landed.key).to_pylist() == [{"id": 1, "v": "a", "late": None}, ROWS[1]]


def test_the_same_batch_lands_on_itself_with_the_same_bytes(store: ObjectStore, prefix: str) -> None:
    first = land(ROWS, store=store, bucket="raw", prefix=prefix, batch_id="p1")
    before = store.stat("raw", first.key)
    again = land(iter(ROWS), store=store, bucket="raw", prefix=prefix + "/", batch_id="p1")
    assert (again.created, again.key, again.bytes) == (False, first.key, first.bytes)
    assert store.stat("raw", first.key) == before


def test_a_batch_with_other_rows_replaces_itself(store: ObjectStore, prefix: str) -> None:
    land(ROWS, store=store, bucket="raw", prefix=prefix, batch_id="p1")
    assert land(ROWS[:1], store=store, bucket="raw", prefix=prefix, batch_id="p1").created
    assert [info.key for info in store.list("raw", prefix)] == [f"{prefix}/p1.parquet"]


def test_a_schema_decides_columns_and_types(store: ObjectStore, prefix: str) -> None:
    schema = pa.schema([("id", pa.int16()), ("missing", pa.string())])
    landed = land(ROWS, store=store, bucket="raw", prefix=prefix, schema=schema, batch_id="p1")
    assert read(store, landed.key).schema.equals(schema)


def test_no_records_still_land(store: ObjectStore, prefix: str) -> None:
    schema = pa.schema([("id", pa.int16())])
    assert land([], store=store, bucket="raw", prefix=prefix, schema=schema, batch_id="p1").rows == 0


def test_an_arrow_table_lands(store: ObjectStore, prefix: str) -> None:
    table = pa.table({"id": [1, 2]})
    assert read(store, land(table, store=store, bucket="raw", prefix=prefix, batch_id="t").key).equals(table)


def test_values_of_two_types_name_their_column(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(SourceError, match="'v'") as caught:
        land([{"v": 1}, {"v": "x"}], store=store, bucket="raw", prefix=prefix, batch_id="p1")
    assert caught.value.code == "RECORDS_MIXED"


@pytest.mark.parametrize("batch", ["", "a b", "/x", "ü?", "../x"])
def test_a_batch_id_that_cannot_be_a_key_is_refused(store: ObjectStore, prefix: str, batch: str) -> None:
    with pytest.raises(UsageError, match="batch"):
        land(ROWS, store=store, bucket="raw", prefix=prefix, batch_id=batch)


def test_state_is_empty_before_it_is_saved_and_comes_back_after(store: ObjectStore, prefix: str) -> None:
    state = IngestState(store, "raw", f"{prefix}/state.json")
    assert state.load() == {}
    state.save({"before": 17, "name": "größe"})
    assert IngestState(store, "raw", f"{prefix}/state.json").load() == {"before": 17, "name": "größe"}


@pytest.mark.parametrize("data", [b"", b'{"half', b"[1]", b"\xff\xfe"])
def test_a_corrupt_state_is_reported_and_kept(store: ObjectStore, prefix: str, data: bytes) -> None:
    key = f"{prefix}/state.json"
    store.put_bytes("raw", key, data)
    with pytest.raises(SourceError) as caught:
        IngestState(store, "raw", key).load()
    assert (caught.value.code, key in caught.value.actions[0].command) == ("STATE_CORRUPT", True)
    assert store.get_bytes("raw", key) == data
