"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataflow.testing import Workbench
from workflows.workflow_name.ingestion import read
from workflows.workflow_name.settings import Settings
from workflows.workflow_name.transform import believed

FOLDER = Path(__file__).parents[1]
DAYS = "select day::varchar, views, visitors from marts.workflow_name_daily order by day"


def test_an_event_that_was_sent_twice_is_one_and_one_that_is_too_late_none() -> None:
    found = dict(read(FOLDER / "sample"))
    first = believed(found["2026-03-01.jsonl"].table, Settings(files=Path()))
    assert first.valid["event_id"].to_pylist() == ["a1", "a2", "a3"]
    assert [row.line for row in found["2026-03-01.jsonl"].quarantined] == [5]
    second = believed(found["2026-03-02.jsonl"].table, Settings(files=Path()))
    assert second.rejected["event_id"].to_pylist() == ["b3"]
    assert second.rejected["reasons"].to_pylist() == [["days_late is above 3"]]


def test_a_late_event_has_its_day_counted_anew(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows.workflow_name import assets as running  # as the workbench has loaded it

    monkeypatch.setattr(running, "settings", running.settings.model_copy(update={"files": tmp_path / "files"}))
    (tmp_path / "files").mkdir()
    shutil.copy(FOLDER / "sample" / "2026-03-01.jsonl", tmp_path / "files")
    assert workbench.run().success
    assert workbench.query(DAYS) == [("2026-03-01", 3, 2)]
    shutil.copy(FOLDER / "sample" / "2026-03-02.jsonl", tmp_path / "files")
    assert workbench.run().success
    assert workbench.query(DAYS) == [("2026-03-01", 4, 3), ("2026-03-02", 1, 1)]
    before = workbench.tables()
    assert workbench.run().success
    assert workbench.tables() == before, "a run without new events changes nothing"
