"""Run history into another storage: same content, same digest, and Dagster goes on with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from dataflow.workflows import history

Make = Callable[[str], dg.DagsterInstance]


@dg.asset
def readings() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 7})


@dg.asset
def breaks() -> None:
    raise ValueError("no")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def instance(name: str) -> dg.DagsterInstance:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        return dg.DagsterInstance.from_config(str(home))

    return instance


def fill(instance: dg.DagsterInstance) -> None:
    dg.materialize([readings], instance=instance, tags={"who": "me"})
    dg.materialize([breaks], instance=instance, raise_on_error=False)
    instance.add_dynamic_partitions("days", ["2026-11-24"])
    instance.event_log_storage.set_concurrency_slots("warehouse", 2)
    instance.report_runless_asset_event(dg.AssetMaterialization("from_outside", metadata={"rows": 3}))


def test_nothing_is_lost_and_a_second_move_gives_the_same_digest(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl.gz"
    with make("one") as one:
        fill(one)
        before = history.export(one, file)
    assert before.runs == 2
    assert before.events > 20
    with make("two") as two:
        assert history.load(two, file) == before
        runs = two.get_runs()
        assert sorted(run.status.value for run in runs) == ["FAILURE", "SUCCESS"]
        assert any(run.tags.get("who") == "me" for run in runs)
        event = two.get_latest_materialization_event(dg.AssetKey("readings"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["rows"].value == 7
        assert two.get_latest_materialization_event(dg.AssetKey("from_outside")) is not None
        assert two.get_dynamic_partitions("days") == ["2026-11-24"]
        assert two.event_log_storage.get_concurrency_info("warehouse").slot_count == 2
        assert history.export(two, tmp_path / "again.gz").digest == before.digest
        # It is a history like any other: the next run adds to it.
        assert dg.materialize([readings], instance=two).success
        assert history.counts(two).runs == 3
        assert history.counts(two).digest != before.digest


def test_an_empty_history_is_one_too(make: Make, tmp_path: Path) -> None:
    with make("one") as one, make("two") as two:
        before = history.export(one, tmp_path / "empty.gz")
        assert (before.runs, before.events) == (0, 0)
        assert history.load(two, tmp_path / "empty.gz") == before


def test_a_file_of_a_later_format_is_refused(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "later.gz"
    with gzip.open(file, "wt") as out:
        out.write(json.dumps({"format": 2}) + "\n")
    with make("one") as one, pytest.raises(ValueError, match="has the format 2"):
        history.load(one, file)
