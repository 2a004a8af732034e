"""Reading a site: everything once, resumed where it broke, incremental afterwards, and its refusals explained."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataflow.errors import ConfigurationError, SourceError
from dataflow.shared.db import read_connection
from dataflow.shared.minio import ObjectStore
from workflows.nightscout.collection import ENTRIES, TREATMENTS, Collection
from workflows.nightscout.ingestion import Landed, land_export, land_site
from workflows.nightscout.loading import load_collection
from workflows.nightscout.settings import ApiSource, FileSource
from workflows.nightscout.tests.conftest import FOLDER, empty_lake
from workflows.nightscout.tests.fake_nightscout import SECRET, FakeNightscout


def source(site: FakeNightscout, **changes: Any) -> ApiSource:
    fast = {"page_size": 400, "requests_per_second": 1000, "retries": 0, "overlap_hours": 1}
    return ApiSource.model_validate({"kind": "api", "url": site.url, **fast, **changes})


def landed_ids(store: ObjectStore, collection: Collection) -> list[str]:
    return sorted(document["_id"] for document in landed_documents(store, collection))


def landed_documents(store: ObjectStore, collection: Collection) -> Iterator[dict[str, Any]]:
    for item in store.list("lake", collection.prefix):
        table = pq.read_table(io.BytesIO(store.get_bytes("lake", item.key)))
        yield from (json.loads(text) for text in table["document"].to_pylist())


def dated(site: FakeNightscout, before: int) -> set[str]:
    """The ids a date condition can find: MongoDB compares numbers with numbers only."""
    found = site.documents["entries"]
    return {one["_id"] for one in found if isinstance(one.get("date"), int) and 946684800000 <= one["date"] < before}


def test_the_whole_history_lands_page_by_page(site: FakeNightscout, store: ObjectStore) -> None:
    result = land_site(source(site), ENTRIES, store)
    assert set(landed_ids(store, ENTRIES)) == dated(site, int(time.time() * 1000))
    assert result.created == len(site.requests) >= 4


def test_treatments_page_by_their_text_dates(site: FakeNightscout, store: ObjectStore) -> None:
    land_site(source(site, page_size=7), TREATMENTS, store)
    assert set(landed_ids(store, TREATMENTS)) == {one["_id"] for one in site.documents["treatments"]}


def test_documents_that_share_a_date_at_the_edge_of_a_page_are_not_lost(
    site: FakeNightscout, store: ObjectStore
) -> None:
    first = site.documents["entries"][0]
    site.documents["entries"] = [{**first, "_id": f"{n:024x}", "date": 1785535301000 + n // 3} for n in range(30)]
    land_site(source(site, page_size=4), ENTRIES, store)
    assert len(set(landed_ids(store, ENTRIES))) == 30


def test_a_read_that_fails_at_page_three_resumes_there_and_ends_like_one_that_did_not(
    site: FakeNightscout, store: ObjectStore
) -> None:
    site.fail_at(3)
    with pytest.raises(SourceError) as caught:
        land_site(source(site), ENTRIES, store)
    assert caught.value.code == "SOURCE_UNAVAILABLE"
    assert len(landed_ids(store, ENTRIES)) == 800, "two pages of four hundred are kept"
    site.heal()
    land_site(source(site), ENTRIES, store)
    resumed = landed_ids(store, ENTRIES)
    assert set(resumed) == dated(site, int(time.time() * 1000))
    fetched = len(site.requests)
    assert fetched == 3 + 2 + 1, "the failed page, the two left, and one look at what is new"


def test_the_warehouse_after_a_resumed_read_equals_that_of_a_read_without_a_fault(
    site: FakeNightscout, store: ObjectStore, endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.fail_at(3, status=200, body=b'[{"_id":"torn')
    with pytest.raises(SourceError):
        land_site(source(site), ENTRIES, store)
    assert 0 < load_collection(store, ENTRIES).rows < 800, "what came until the fault is there already"
    site.heal()
    land_site(source(site), ENTRIES, store)
    load_collection(store, ENTRIES)
    resumed = entries_in_the_warehouse()
    empty_lake(endpoint)
    monkeypatch.setenv("DATAFLOW_WAREHOUSE_PATH", str(tmp_path / "other.duckdb"))
    land_site(source(site), ENTRIES, store)
    load_collection(store, ENTRIES)
    assert resumed == entries_in_the_warehouse()
    assert len(resumed) > 1300


def entries_in_the_warehouse() -> list[tuple[Any, ...]]:
    with read_connection() as reader:
        return reader.connection.execute("from raw_nightscout.entries order by all").fetchall()


def test_a_first_read_goes_back_only_as_far_as_asked(site: FakeNightscout, store: ObjectStore) -> None:
    now = int(time.time() * 1000)
    newest = site.documents["entries"][0]
    ages = (1, 5, 20, 40)
    site.documents["entries"] = [{**newest, "_id": str(age), "date": now - age * 86_400_000} for age in ages]
    land_site(source(site), ENTRIES, store, history_days=10)
    assert landed_ids(store, ENTRIES) == ["1", "5"]


def test_a_document_from_the_future_does_not_hide_what_comes_after_it(site: FakeNightscout, store: ObjectStore) -> None:
    now = int(time.time() * 1000)
    template = site.documents["entries"][0]
    site.documents["entries"] = [{**template, "_id": "ahead", "date": now + 7_200_000}]
    site.documents["entries"].append({**template, "_id": "before", "date": now - 600_000})
    land_site(source(site), ENTRIES, store)
    site.documents["entries"].append({**template, "_id": "after", "date": now - 300_000})
    land_site(source(site, overlap_hours=0), ENTRIES, store)
    assert "after" in landed_ids(store, ENTRIES)


def test_what_arrives_while_a_read_is_broken_is_not_forgotten(site: FakeNightscout, store: ObjectStore) -> None:
    late = site.documents["entries"][-40:]
    del site.documents["entries"][-40:]
    site.fail_at(2)
    with pytest.raises(SourceError):
        land_site(source(site), ENTRIES, store)
    site.heal()
    site.documents["entries"] += late
    land_site(source(site), ENTRIES, store)
    assert {one["_id"] for one in late if isinstance(one.get("date"), int)} <= set(landed_ids(store, ENTRIES))


def test_a_second_read_asks_only_for_what_is_new(site: FakeNightscout, store: ObjectStore) -> None:
    land_site(source(site), ENTRIES, store)
    before = len(site.requests)
    again = land_site(source(site), ENTRIES, store)
    assert len(site.requests) == before + 1
    assert again.documents < 30, "one hour of overlap"


def test_a_full_read_lands_nothing_twice(site: FakeNightscout, store: ObjectStore) -> None:
    first = land_site(source(site), ENTRIES, store)
    full = land_site(source(site), ENTRIES, store, full=True)
    assert full.documents == first.documents
    assert full.created == 0


def test_an_export_lands_once_however_often_it_is_read(store: ObjectStore) -> None:
    sample = FileSource.model_validate({"kind": "file", "entries": "sample/entries.jsonl.gz"})
    first = land_export(sample, ENTRIES, store, folder=FOLDER)
    second = land_export(sample, ENTRIES, store, folder=FOLDER)
    assert (first.created, second.created, second.known) == (1, 0, 1)
    assert first.documents == second.documents == 26_117
    assert land_export(sample, TREATMENTS, store, folder=FOLDER) == Landed()


def test_the_api_secret_goes_as_its_sha1(
    site: FakeNightscout, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSCOUT_API_SECRET", SECRET)
    assert land_site(source(site, auth="api-secret"), TREATMENTS, store).documents > 0


def test_a_wrong_token_is_refused_without_being_shown(
    site: FakeNightscout, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTSCOUT_TOKEN", "wrong-token-4711")
    with pytest.raises(SourceError) as caught:
        land_site(source(site), ENTRIES, store)
    assert caught.value.code == "SOURCE_UNAUTHORIZED"
    assert "wrong-token-4711" not in f"{caught.value.message} {caught.value.hint} {caught.value.actions}"


def test_a_missing_secret_is_named_before_any_request(
    site: FakeNightscout, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NIGHTSCOUT_TOKEN")
    with pytest.raises(ConfigurationError) as caught:
        land_site(source(site), ENTRIES, store)
    assert (caught.value.code, site.requests) == ("SECRET_MISSING", [])
    assert "NIGHTSCOUT_TOKEN" in caught.value.message


@pytest.mark.parametrize("body", [b"<html>It works!</html>", b'[{"_id":"x","date":17', b'{"status":"ok"}', b'["x"]'])
def test_an_answer_that_is_no_list_of_documents_is_called_a_bad_response(
    site: FakeNightscout, store: ObjectStore, body: bytes
) -> None:
    site.fail_at(1, status=200, body=body)
    with pytest.raises(SourceError) as caught:
        land_site(source(site), ENTRIES, store)
    assert caught.value.code == "SOURCE_BAD_RESPONSE"
