"""The whole workflow, found by discovery and run by Dagster: real store, real warehouse, real dbt."""

from __future__ import annotations

import copy
import re
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataflow.shared.db import read_connection
from dataflow.workflows.discovery import discover
from workflows.nightscout.tests.conftest import FOLDER, empty_lake, set_environment
from workflows.nightscout.tests.fake_nightscout import TOKEN, FakeNightscout, serving

DAILY = "select * from marts.nightscout_daily order by day"
ALL_TABLES = """
select table_schema || '.' || table_name from information_schema.tables
where table_schema in ('raw_nightscout', 'staging', 'marts') order by all
"""


@dataclass(frozen=True)
class Project:
    """A project whose only workflow is a copy of ours."""

    root: Path
    job: dg.JobDefinition

    def run(self, **parameters: Any) -> dg.ExecuteInProcessResult:
        config = {"resources": {"nightscout_parameters": {"config": parameters}}}
        return self.job.execute_in_process(run_config=config, raise_on_error=False)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with read_connection(self.root / ".dataflow" / "warehouse.duckdb") as reader:
            return reader.connection.execute(sql).fetchall()

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: self.query(f"from {name} order by all") for (name,) in self.query(ALL_TABLES)}


def project(root: Path, *replacements: tuple[str, str]) -> Project:
    """Copy the workflow, change its config.yaml, and load it as the platform does."""
    folder = root / "workflows" / "nightscout"
    shutil.copytree(FOLDER, folder, ignore=lambda place, _: {"tests"} if Path(place) == FOLDER else {"__pycache__"})
    config = folder / "config.yaml"
    text = config.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    config.write_text(text)
    discovery = discover(root / "workflows")
    assert discovery.findings == ()
    return Project(root, discovery.workflows[0].definitions.resolve_job_def("nightscout"))


@dataclass(frozen=True)
class Ran:
    project: Project
    first: dg.ExecuteInProcessResult
    second: dg.ExecuteInProcessResult
    between: dict[str, list[tuple[Any, ...]]]
    warnings: list[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Iterator[Ran]:
    """The shipped workflow, run twice on the shipped sample."""
    root = tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        set_environment(patch, root, endpoint)
        empty_lake(endpoint)
        loaded = project(root)
        first = loaded.run()
        between = loaded.contents()
        yield Ran(loaded, first, loaded.run(), between, [f"{one.category.__name__}: {one.message}" for one in caught])


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    event = next(e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(key.split("/")))
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_sample_runs_and_every_check_holds(ran: Ran) -> None:
    assert ran.first.success
    checks = ran.first.get_asset_check_evaluations()
    assert len(checks) == 23
    assert [check.check_name for check in checks if not check.passed] == []


def test_materialisations_tell_rows_quarantine_and_the_newest_reading(ran: Ran) -> None:
    found = metadata(ran.first, "nightscout/entries")
    assert (found["dagster/row_count"], found["quarantined"]) == (25_819, 147)
    assert found["newest"] == "2026-10-29 21:56:39 UTC"


def test_running_twice_adds_nothing_twice(ran: Ran) -> None:
    assert ran.second.success
    assert ran.project.contents() == ran.between
    assert metadata(ran.second, "nightscout/entries")["inserted"] == 0
    assert metadata(ran.second, "nightscout/landed_entries")["objects_created"] == 0


def test_the_daily_table_has_every_day_and_its_columns(ran: Ran) -> None:
    columns = [name for name, *_ in ran.project.query("describe marts.nightscout_daily")]
    wanted = ["day", "readings", "coverage_pct", "mean_mgdl", "gmi_pct", "cv_pct", "tir_pct", "below_pct", "above_pct"]
    assert [name for name in columns if name in wanted] == wanted
    assert ran.project.query("select count(*), min(day)::varchar, max(day)::varchar from marts.nightscout_daily") == [
        (90, "2026-08-01", "2026-10-29")
    ]


def test_the_day_on_which_summer_time_ends_has_twenty_five_hours(ran: Ran) -> None:
    expected = ran.project.query("select day::varchar, expected_readings from marts.nightscout_daily order by day")
    assert {day: count for day, count in expected if count != 288} == {"2026-10-25": 300}
    # Not more readings than slots: the hour that the clock shows twice is two hours of data.
    assert ran.project.query("select max(coverage_pct) <= 100, min(readings) > 0 from marts.nightscout_daily") == [
        (True, True)
    ]
    assert ran.project.query("select readings from marts.nightscout_daily where day = '2026-10-25'") > [(290,)]


def test_a_clean_day_equals_a_calculation_by_hand(ran: Ran, sample: dict[str, list[dict[str, Any]]]) -> None:
    start, end = 1785621600000, 1785708000000  # 2 August 2026 in Berlin
    by_slot: dict[int, list[dict[str, Any]]] = {}
    for one in sample["entries"]:
        if one["type"] == "sgv" and start <= int(one.get("date", 0)) < end and one["sgv"] != "???":
            by_slot.setdefault(int(one["date"]) // 300_000, []).append(one)
    values = [float(slot[0]["sgv"]) for slot in by_slot.values()]
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
    in_range = 100 * sum(70 <= value <= 180 for value in values) / len(values)
    row = ran.project.query(
        "select readings, mean_mgdl, gmi_pct, cv_pct, tir_pct from marts.nightscout_daily where day = '2026-08-02'"
    )[0]
    assert row == pytest.approx((len(values), mean, 3.31 + 0.02392 * mean, 100 * deviation / mean, in_range), abs=0.051)


def test_no_reading_is_counted_twice_where_two_uploaders_sent_it(ran: Ran) -> None:
    days = "between '2026-09-22' and '2026-09-24'"
    raw = f"select count(*) from staging.stg_nightscout__entries where measured_at_local::date {days}"
    kept = f"select sum(readings) from marts.nightscout_daily where day {days}"
    assert ran.project.query(raw)[0][0] > 1.9 * ran.project.query(kept)[0][0] > 0


def test_values_in_mmol_fit_their_neighbours(ran: Ran) -> None:
    means = ran.project.query(
        "select mean_mgdl from marts.nightscout_daily where day between '2026-08-19' and '2026-08-28'"
    )
    assert all(90 < mean < 250 for (mean,) in means)


def test_the_queries_of_the_evidence_page_run_on_the_marts(ran: Ran) -> None:
    page = (FOLDER / "evidence" / "pages" / "index.md").read_text()
    queries = dict(re.findall(r"```sql (\w+)\n(.*?)```", page, re.DOTALL))
    assert set(queries) == set(re.findall(r"data=\{(\w+)\}", page))
    for name, sql in queries.items():
        assert ran.project.query(sql), name


def test_nothing_of_ours_warns_and_dbt_writes_only_under_the_state_folder(ran: Ran) -> None:
    ours = [text for text in ran.warnings if re.search("nightscout|dataflow|Beta|Preview|Superseded", text)]
    assert ours == []
    folder = ran.project.root / "workflows" / "nightscout" / "dbt"
    assert {path.name for path in folder.iterdir()} == {"dbt_project.yml", "profiles.yml", "macros", "models", "tests"}


def test_a_site_that_is_old_and_broken_is_said_to_be_so_by_the_checks(
    sample: dict[str, list[dict[str, Any]]], tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = copy.deepcopy(sample["entries"][:600])
    for one in entries:
        if isinstance(one.get("date"), int):
            one["date"] -= 146 * 86_400_000  # from August to March, when New York loses an hour
    for one in entries[-60:]:
        one["sgv"] = "???"
    set_environment(monkeypatch, tmp_path, endpoint)
    monkeypatch.setenv("NIGHTSCOUT_TOKEN", TOKEN)
    empty_lake(endpoint)
    with serving(FakeNightscout(entries, sample["treatments"][:9])) as site:
        api = f"kind: api\n    url: {site.url}\n    page_size: 250\n    requests_per_second: 1000\n"
        loaded = project(
            tmp_path,
            ("kind: file\n", api),
            ("    entries: sample/entries.jsonl.gz\n", ""),
            ("    treatments: sample/treatments.jsonl.gz\n", ""),
            ("timezone: Europe/Berlin", "timezone: America/New_York"),
        )
        outcome = loaded.run(full=True)
    assert outcome.success
    failed = {
        check.check_name: check.severity.value for check in outcome.get_asset_check_evaluations() if not check.passed
    }
    assert failed == {"few_quarantined": "ERROR", "fresh": "WARN"}
    # 22:01 UTC is five in the afternoon in New York: the table begins on the 7th, and the 8th has 23 hours.
    days = loaded.query("select day::varchar, expected_readings from marts.nightscout_daily order by day")
    assert days == [("2026-03-07", 288), ("2026-03-08", 276), ("2026-03-09", 288)]
