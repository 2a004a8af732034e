"""Partitions: which there are, which a text means, and which one a schedule starts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from dataflow.errors import UsageError
from dataflow.models import WorkflowInfo
from dataflow.workflows.partitions import chosen, described, in_words, keys_of, one_of

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-06")
HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00", end_date="2026-01-01-06:00")
SHOPS = dg.StaticPartitionsDefinition(["berlin", "paris", "rome"])


def info(partitions: dg.PartitionsDefinition[Any] | None) -> WorkflowInfo:
    plain, parted = SimpleNamespace(partitions_def=None), SimpleNamespace(partitions_def=partitions)
    return WorkflowInfo("sales", "", Path(), partitions=described([plain, parted]))


def day(*numbers: int) -> list[str]:
    return [f"2026-01-0{number}" for number in numbers]


@pytest.mark.parametrize(
    ("texts", "keys"),
    [
        (["2026-01-02"], day(2)),
        (["last"], day(5)),
        (["all"], day(1, 2, 3, 4, 5)),
        (["2026-01-02:2026-01-04"], day(2, 3, 4)),
        (["2026-01-02...2026-01-04"], day(2, 3, 4)),
        (["2026-01-04:"], day(4, 5)),
        ([":2026-01-02"], day(1, 2)),
        (["2026-01-04:last"], day(4, 5)),
        (["last", "2026-01-01", ":2026-01-02"], day(1, 2, 5)),
    ],
)
def test_a_text_means_these_partitions_in_their_order(texts: list[str], keys: list[str]) -> None:
    assert chosen(info(DAYS), texts) == keys


def test_keys_that_hold_colons_make_ranges_too() -> None:
    hours = info(HOURS)
    assert chosen(hours, ["2026-01-01-01:00:2026-01-01-03:00"]) == [f"2026-01-01-0{hour}:00" for hour in (1, 2, 3)]
    assert chosen(hours, ["2026-01-01-04:00:"]) == ["2026-01-01-04:00", "2026-01-01-05:00"]
    assert chosen(hours, [":2026-01-01-00:00"]) == chosen(hours, ["2026-01-01-00:00"]) == ["2026-01-01-00:00"]


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ("2026-01-09", "PARTITION_UNKNOWN", "no partition '2026-01-09'", "It has 5: 2026-01-01, 2026-01-02"),
        ("2026-01-02:2026-01-99", "PARTITION_UNKNOWN", "no partition '2026-01-99'", "Did you mean '2026-01-0"),
        ("2026-01-04:2026-01-02", "PARTITION_RANGE", "ends before it begins", "2026-01-02:2026-01-04"),
        ("", "PARTITION_UNKNOWN", "no partition ''", "It has 5"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(text: str, code: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(info(DAYS), [text])
    assert caught.value.code == code
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_run_is_for_one_and_a_workflow_without_partitions_for_none() -> None:
    assert one_of(info(SHOPS), "paris") == "paris"
    assert one_of(info(SHOPS), "last") == "rome"
    assert one_of(info(None), None) is None
    with pytest.raises(UsageError, match="has no partitions"):
        one_of(info(None), "paris")
    with pytest.raises(UsageError, match=r"computed by partition \(Daily, starting 2026-01-01 UTC"):
        one_of(info(DAYS), None)


def test_partitions_that_do_not_exist_yet_or_that_only_dagster_knows() -> None:
    future = info(dg.DailyPartitionsDefinition("2999-01-01"))
    assert keys_of(future) == []
    with pytest.raises(UsageError) as caught:
        one_of(future, "last")
    assert "It has none yet: Daily, starting 2999-01-01 UTC." in (caught.value.hint or "")
    with pytest.raises(UsageError, match="only Dagster's own page knows them"):
        keys_of(info(dg.DynamicPartitionsDefinition(name="users")))


def test_a_schedule_starts_the_newest_partition_that_is_whole(tmp_path: Path) -> None:
    from dataflow.workflows.discovery import discover

    folder = tmp_path / "workflows" / "days"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("version: 1\n")
    (folder / "dagster_job.py").write_text(
        "import dagster as dg\n"
        "from dataflow.workflows.registry import register_workflow\n"
        "@dg.asset(partitions_def=dg.DailyPartitionsDefinition('2026-01-01'))\n"
        "def day() -> None: ...\n"
        "@register_workflow(name='days', description='A day at a time.', schedule='0 6 * * *')\n"
        "def build() -> dg.Definitions:\n"
        "    return dg.Definitions(assets=[day])\n"
    )
    found = discover(tmp_path / "workflows")
    assert found.findings == ()
    assert in_words(found.workflows[0].info) == "Daily, starting 2026-01-01 UTC"
    repository = found.workflows[0].definitions.get_repository_def()
    schedule = repository.get_schedule_def("days_schedule")
    for when, key in ((datetime(2026, 1, 5, 6, tzinfo=UTC), "2026-01-04"), (datetime(2026, 1, 1, 6, tzinfo=UTC), None)):
        with dg.build_schedule_context(scheduled_execution_time=when, repository_def=repository) as context:
            tick = schedule.evaluate_tick(context)
        assert [request.partition_key for request in tick.run_requests or []] == ([key] if key else [])
