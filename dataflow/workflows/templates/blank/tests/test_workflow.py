"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

from pathlib import Path

from dataflow.testing import Workbench
from workflows.workflow_name.ingestion import read
from workflows.workflow_name.settings import Settings
from workflows.workflow_name.transform import believed


def test_a_row_that_cannot_be_read_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("id,measured_at,place,value\n1,2026-03-01T06:00:00Z,north,1\n2,yesterday,north,2\n")
    found = read(file)
    assert found.table.num_rows == 1
    assert [row.line for row in found.quarantined] == [3]


def test_a_value_below_the_lowest_is_set_aside() -> None:
    parted = believed(read().table, Settings(lowest=11))
    assert min(parted.valid["value"].to_pylist()) >= 11
    assert parted.rejected["reasons"].to_pylist()[0] == ["value is below 11.0"]


def test_it_runs_and_a_second_run_adds_nothing(workbench: Workbench) -> None:
    assert workbench.run().success
    before = workbench.tables()
    assert len(before["raw_workflow_name.measurements"]) == 6
    assert len(before["raw_workflow_name.quarantine"]) == 1
    assert sum(row[2] for row in before["marts.workflow_name_daily"]) == 6
    assert workbench.run().success
    assert workbench.tables() == before
