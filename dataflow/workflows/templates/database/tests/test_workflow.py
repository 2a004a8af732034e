"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from dataflow.testing import Workbench
from workflows.workflow_name.ingestion import read
from workflows.workflow_name.settings import SqliteSource
from workflows.workflow_name.transform import believed

FOLDER = Path(__file__).parents[1]
SAMPLE = SqliteSource(kind="sqlite", script=Path("sample/customers.sql"))


def ids(since: datetime | None) -> list[int]:
    return pa.concat_tables(read(SAMPLE, FOLDER, since))["id"].to_pylist()


def test_only_rows_that_changed_are_read() -> None:
    assert ids(None) == [1, 2, 3, 4, 5]
    assert ids(datetime(2026, 3, 2, 15, 45, tzinfo=UTC)) == [4, 5]


def test_an_address_that_is_none_is_set_aside() -> None:
    parted = believed(next(read(SAMPLE, FOLDER, None)))
    assert parted.rejected["id"].to_pylist() == [3]
    assert parted.valid["country"].to_pylist() == ["DE", "DE", "CH", "AT"]


def test_a_changed_row_is_updated_and_nothing_is_doubled(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workbench.run().success
    before = workbench.tables()
    assert len(before["raw_workflow_name.customers"]) == 4
    assert workbench.run().success
    assert workbench.run(full=True).success
    assert workbench.tables() == before

    script = (FOLDER / "sample" / "customers.sql").read_text().replace("2026-03-01 08:00:00", "2026-03-04 08:00:00")
    (tmp_path / "later.sql").write_text(script.replace("'Abel'", "'Abel Anders'"))
    from workflows.workflow_name import assets as running  # as the workbench has loaded it

    source = SqliteSource(kind="sqlite", script=tmp_path / "later.sql")
    monkeypatch.setattr(running, "settings", running.settings.model_copy(update={"source": source}))
    assert workbench.run().success
    assert workbench.query("select name from raw_workflow_name.customers where id = 1") == [("Abel Anders",)]
    assert workbench.query("select count(*) from raw_workflow_name.customers") == [(4,)]
