"""What becomes of a document: its types, its unit, its time; and what cannot be believed, with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dataflow.shared.db import read_connection
from dataflow.shared.ingest import land
from dataflow.shared.minio import ObjectStore
from workflows.nightscout.collection import ENTRIES, TREATMENTS, Collection
from workflows.nightscout.loading import load_collection

NOW = 1785535301000  # 2026-07-31 22:01:41 UTC
ENTRY = {"_id": "6a6d1b45da7af10e55100001", "type": "sgv", "date": NOW, "sgv": 120, "device": "xDrip"}
TREATMENT = {"_id": "6a6d1b45da7af10e77900001", "eventType": "Meal Bolus", "created_at": "2026-07-31T22:01:41.000Z"}


def put(store: ObjectStore, collection: Collection, *documents: dict[str, Any] | str, batch: str = "a") -> None:
    """Land documents as the workflow does: text, with a source and a line."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in documents]
    rows = [{"source": "export.jsonl", "line": number, "document": text} for number, text in enumerate(texts, start=1)]
    land(rows, store=store, bucket="lake", prefix=collection.prefix, batch_id=batch)


def query(sql: str) -> list[tuple[Any, ...]]:
    with read_connection() as reader:
        return reader.connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("changes", "mgdl"),
    [
        ({"sgv": 120}, 120.0),
        ({"sgv": "120"}, 120.0),
        ({"sgv": 6.7}, 120.7),
        ({"sgv": 7, "units": "mmol/L"}, 126.1),
        ({"sgv": 7, "units": "mmol"}, 126.1),
        ({"sgv": 120.4, "units": "mg/dl"}, 120.4),
        ({"sgv": 33.3}, 600.0),
        ({"sgv": 39}, 39.0),
        ({"type": "mbg", "mbg": 98}, 98.0),
        ({"sgv": {"$numberInt": "120"}, "date": {"$numberLong": str(NOW)}, "_id": {"$oid": ENTRY["_id"]}}, 120.0),
        ({"type": "cal", "sgv": None, "slope": 895}, None),
    ],
)
def test_a_value_ends_in_mg_per_dl(store: ObjectStore, changes: dict[str, Any], mgdl: float | None) -> None:
    put(store, ENTRIES, {**ENTRY, **changes})
    load_collection(store, ENTRIES)
    assert query("select id, glucose_mgdl from raw_nightscout.entries") == [(ENTRY["_id"], mgdl)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sgv": None}, "no value"),
        ({"sgv": "???"}, "value is not a number"),
        ({"sgv": "LOW"}, "value is not a number"),
        ({"sgv": 0}, "sensor error code"),
        ({"sgv": 12}, "sensor error code"),
        ({"sgv": 14}, "unit unclear"),
        ({"sgv": 9999}, "value is out of range"),
        ({"sgv": -1}, "value is out of range"),
        ({"sgv": 40, "units": "mmol"}, "value is out of range"),
        ({"date": None}, "no readable time"),
        ({"date": 1235435498000}, "clock wrong: before 2013"),
        ({"date": NOW + 3 * 86_400_000}, "clock wrong: ahead of its upload"),
        ({"_id": "no-object-id", "date": 4_000_000_000_000 - 1}, "clock wrong: ahead of its upload"),
        ({"type": None, "sgv": None}, "no type"),
    ],
)
def test_an_entry_that_cannot_be_believed_is_kept_apart_with_its_reason_and_line(
    store: ObjectStore, changes: dict[str, Any], reason: str
) -> None:
    put(store, ENTRIES, {**ENTRY, "_id": "6a6d1b45da7af10e55100002"}, {**ENTRY, **changes})
    loaded = load_collection(store, ENTRIES)
    assert (loaded.rows, loaded.quarantined) == (1, 1)
    assert query("select collection, reason, source, line, object from raw_nightscout.quarantine") == [
        ("entries", reason, "export.jsonl", 2, "nightscout/raw/entries/a.parquet")
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"_id":"6a6d1b45da7a', "not a JSON document"),
        ("garbage", "not a JSON document"),
        ("[1, 2]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("17", "not a JSON object"),
    ],
)
def test_a_line_that_is_no_document_is_kept_as_it_stands(store: ObjectStore, document: str, reason: str) -> None:
    for collection in (ENTRIES, TREATMENTS):
        put(store, collection, document)
        load_collection(store, collection)
    assert query("select reason, document from raw_nightscout.quarantine") == [(reason, document)] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"date": str(NOW)},
        {"date": None, "dateString": "2026-08-01T00:01:41.000+0200"},
        {"date": None, "dateString": "2026-08-01T00:01:41+02:00"},
        {"date": None, "dateString": "", "sysTime": "2026-07-31T22:01:41.000Z"},
        {"date": {"$date": "2026-07-31T22:01:41Z"}},
        {"date": {"$date": {"$numberLong": str(NOW)}}},
    ],
)
def test_a_time_is_read_from_whichever_field_tells_it(store: ObjectStore, changes: dict[str, Any]) -> None:
    put(store, ENTRIES, {**ENTRY, **changes})
    load_collection(store, ENTRIES)
    assert query("select measured_at_utc::varchar from raw_nightscout.entries") == [("2026-07-31 22:01:41",)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created_at": "Invalid date"}, "no readable time"),
        ({"carbs": "a lot"}, "carbs is not a number"),
        ({"insulin": -3}, "insulin is out of range"),
        ({"insulin": 450}, "insulin is out of range"),
    ],
)
def test_a_treatment_that_cannot_be_believed_is_kept_apart(
    store: ObjectStore, changes: dict[str, Any], reason: str
) -> None:
    put(store, TREATMENTS, TREATMENT | changes)
    load_collection(store, TREATMENTS)
    assert query("select reason from raw_nightscout.quarantine") == [(reason,)]


def test_a_treatment_keeps_its_amounts_also_when_they_came_as_text(store: ObjectStore) -> None:
    put(store, TREATMENTS, {**TREATMENT, "carbs": "45", "insulin": 4.5})
    load_collection(store, TREATMENTS)
    assert query("select carbs_g, insulin_units from raw_nightscout.treatments") == [(45.0, 4.5)]


def test_the_unknown_devices_are_none(store: ObjectStore) -> None:
    for number, device in enumerate(("", None, "unknown")):
        put(store, ENTRIES, {**ENTRY, "_id": f"6a6d1b45da7af10e5510000{number}", "device": device}, batch=str(number))
    load_collection(store, ENTRIES)
    assert query("select distinct device from raw_nightscout.entries") == [(None,)]


def test_loading_again_reads_no_object_and_changes_nothing(store: ObjectStore) -> None:
    put(store, ENTRIES, ENTRY, ENTRY, "torn")
    first, second = load_collection(store, ENTRIES), load_collection(store, ENTRIES)
    assert (first.objects, first.documents, first.inserted, first.quarantined) == (1, 3, 1, 1)
    assert (second.objects, second.documents, second.rows) == (0, 0, 1)


def test_the_same_documents_in_another_object_add_nothing(store: ObjectStore) -> None:
    put(store, ENTRIES, ENTRY, "torn")
    load_collection(store, ENTRIES)
    put(store, ENTRIES, ENTRY, "torn", {**ENTRY, "_id": "6a6d1b45da7af10e55100002"}, batch="b")
    second = load_collection(store, ENTRIES)
    assert (second.inserted, second.updated, second.quarantined, second.rows) == (1, 0, 0, 2)


def test_a_corrected_document_replaces_the_one_before(store: ObjectStore) -> None:
    put(store, ENTRIES, ENTRY)
    load_collection(store, ENTRIES)
    put(store, ENTRIES, {**ENTRY, "sgv": 130}, batch="b")
    assert load_collection(store, ENTRIES).updated == 1
    assert query("select glucose_mgdl from raw_nightscout.entries") == [(130.0,)]


def test_of_several_versions_in_one_load_the_last_counts(store: ObjectStore) -> None:
    put(store, ENTRIES, {**ENTRY, "sgv": 100}, {**ENTRY, "sgv": 110}, batch="z")
    time.sleep(1.1)  # S3 dates objects to the second
    put(store, ENTRIES, {**ENTRY, "sgv": 120}, {**ENTRY, "sgv": 130}, batch="a")
    load_collection(store, ENTRIES)
    assert query("select glucose_mgdl from raw_nightscout.entries") == [(130.0,)]


def test_a_reload_makes_the_same_tables_from_the_lake_alone(store: ObjectStore) -> None:
    put(store, ENTRIES, ENTRY, "torn")
    load_collection(store, ENTRIES)
    before = query("select * from raw_nightscout.entries") + query("select * from raw_nightscout.quarantine")
    again = load_collection(store, ENTRIES, reload=True)
    after = query("select * from raw_nightscout.entries") + query("select * from raw_nightscout.quarantine")
    assert (again.objects, after) == (1, before)


def test_an_empty_lake_makes_empty_tables(store: ObjectStore) -> None:
    assert load_collection(store, TREATMENTS).rows == 0
    assert query("select count(*) from raw_nightscout.treatments") == [(0,)]
