"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataflow.testing import Workbench
from workflows.workflow_name.ingestion import inbox, read
from workflows.workflow_name.settings import Settings
from workflows.workflow_name.transform import believed

FOLDER = Path(__file__).parents[1]


def test_a_row_that_cannot_be_read_has_its_line() -> None:
    found = read(FOLDER / "sample" / "inbox" / "2026-03-02.jsonl")
    assert found.table["order_id"].to_pylist() == [1005, 1006, 1008]
    assert [row.line for row in found.quarantined] == [3]


def test_an_amount_below_zero_is_set_aside() -> None:
    parted = believed(read(FOLDER / "sample" / "inbox" / "2026-03-01.csv").table)
    assert parted.rejected["order_id"].to_pylist() == [1003]


def test_only_files_of_the_patterns_are_taken(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "notes.txt"):
        (tmp_path / name).write_text("order_id\n1\n")
    found = inbox(Settings(inbox=tmp_path, patterns=("*.csv",)), FOLDER)
    assert [dropped.path.name for dropped in found] == ["a.csv", "b.csv"]


def test_a_changed_file_takes_the_place_of_what_it_was(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER / "sample" / "inbox", tmp_path / "inbox")
    from workflows.workflow_name import assets as running  # as the workbench has loaded it

    monkeypatch.setattr(running, "settings", running.settings.model_copy(update={"inbox": tmp_path / "inbox"}))
    assert workbench.run().success
    before = workbench.tables()
    assert len(before["raw_workflow_name.orders"]) == 6
    assert len(before["raw_workflow_name.quarantine"]) == 2
    assert workbench.run().success
    assert workbench.tables() == before, "a second run adds nothing"
    (tmp_path / "inbox" / "2026-03-01.csv").write_text(
        "order_id,ordered_at,customer,amount\n1001,2026-03-01T08:12:00Z,Abel,26.00\n"
    )
    assert workbench.run().success
    changed = "select amount from raw_workflow_name.orders where source_file = '2026-03-01.csv'"
    assert workbench.query(changed) == [(26,)]
    assert workbench.query("select orders from marts.workflow_name_daily order by day") == [(1,), (3,)]
