"""The live platform is the operations, word for word: on a project that is not up, and without Docker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.errors import DataflowError
from dataflow.operations.logs import LogQuery
from dataflow.operations.run import RunOptions
from dataflow.shared.cancelling import Cancel
from dataflow.shared.db import write_connection
from dataflow_tui.deferred import deferred
from dataflow_tui.live import LivePlatform
from dataflow_tui.main import leave
from tests.conftest import Project, add_workflow
from tests.tui.driving import Seat, drive


@pytest.fixture
def live(project: Project, monkeypatch: pytest.MonkeyPatch) -> LivePlatform:
    monkeypatch.setenv("DATAFLOW_ENGINE", "native")
    add_workflow(project, "orders")
    return LivePlatform(ProjectPaths(project.root))


def quietly(_: object) -> None:
    """A report that nobody hears."""


def refused(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(DataflowError) as caught:
        call(*arguments, **more)
    return caught.value.code


def test_what_is_there_while_nothing_runs(live: LivePlatform) -> None:
    status = live.status()
    assert (status.project, status.state, status.engine.name) == ("tests", "down", "native")
    assert [one.cause for one in live.why().problems] == ["not-up"]
    assert [one.name for one in live.workflows().workflows] == ["orders"]
    assert live.validate().workflows == ("orders",)
    assert live.runs().runs == live.tables().tables == live.checks().checks == live.audit().lines == ()
    assert live.alerts().source == "native"


def test_what_needs_a_running_platform_says_what_helps(live: LivePlatform) -> None:
    assert refused(live.schedules) == "SERVICE_DOWN"
    assert refused(live.switch_schedule, "orders", on=True) == "SERVICE_DOWN"
    assert refused(live.stop, "object-store", quietly) == "NOT_UP"
    assert refused(live.restart, "object-store", quietly) == "NOT_UP"
    assert refused(live.start, "nonsense", quietly) == "SERVICE_UNKNOWN"
    assert refused(live.page, "dagster-webserver") == "SERVICE_DOWN"
    assert refused(live.run, "4f") == refused(live.run_log, "4f") == "RUN_UNKNOWN"
    assert refused(live.cancel, "4f", quietly) == refused(live.retry, "4f", quietly, from_failure=True) == "RUN_UNKNOWN"
    assert refused(live.acknowledge, "Nothing", "") == "ALERT_UNKNOWN"
    assert refused(live.launch, RunOptions("nonsense"), quietly) == "WORKFLOW_UNKNOWN"


def test_a_run_is_checked_before_it_is_made(live: LivePlatform) -> None:
    checked = live.launch(RunOptions("orders", dry_run=True), quietly)
    assert (checked.workflow, checked.run_id, checked.through) == ("orders", None, "process")


def test_data_is_read_exported_and_a_query_is_cancelled(live: LivePlatform, project: Project, tmp_path: Path) -> None:
    with write_connection(project.root / ".dataflow" / "warehouse.duckdb") as connection:
        connection.execute("CREATE SCHEMA raw; CREATE TABLE raw.orders AS SELECT range AS id FROM range(300)")
    (known,) = live.tables().tables
    assert (known.name, known.table.rows, known.computed) == ("raw.orders", 300, None)
    shown = live.preview("raw.orders", Cancel())
    assert (len(shown.rows), shown.truncated) == (200, True)
    assert live.profile("raw.orders", Cancel()).rows[0][0] == "id"
    assert live.query("select max(id) from raw.orders", Cancel()).rows == ((299,),)
    assert live.export("raw.orders", tmp_path / "orders.csv").rows == 300
    cancel = Cancel()
    cancel()
    assert refused(live.query, "select 1", cancel) == "INTERRUPTED"


def test_silences_are_made_and_told_in_the_audit(live: LivePlatform) -> None:
    live.silence("JobFailed", "2h", "known")
    assert refused(live.silence, "JobFailed", "long", "") == "TIME_INVALID"
    assert [(one.operation, one.detail) for one in live.audit().lines] == [("alerts silence", "JobFailed")]


def test_down_is_done_where_nothing_runs(live: LivePlatform) -> None:
    live.down(quietly)
    assert live.audit().lines[0].operation == "down"


def test_settings_are_read_again_where_they_changed(live: LivePlatform, project: Project) -> None:
    assert live.status().project == "tests"
    project.write("dataflow.toml", 'name = "renamed"\n')
    assert live.status().project == "renamed"


def test_a_followed_log_ends_when_nobody_looks(live: LivePlatform, project: Project) -> None:
    lines = [json.dumps({"timestamp": "2026-11-26T10:00:00Z", "level": "info", "message": f"m{n}"}) for n in range(3)]
    project.write(".dataflow/logs/object-store.jsonl", "\n".join(lines) + "\n")
    seen: list[str] = []
    for line in live.follow_logs(LogQuery(("object-store",)), lambda: len(seen) >= 3):
        seen.append(line.message)  # noqa: PERF401 - whether it is over depends on what was seen
    assert seen == ["m0", "m1", "m2"]
    assert list(live.follow_logs(LogQuery(("object-store",), tail=0), lambda: True)) == []


def test_the_dashboard_of_a_project_that_is_not_up(live: LivePlatform) -> None:
    made: list[str] = []

    def make() -> LivePlatform:
        made.append("once")
        return live

    async def act(seat: Seat) -> None:
        await seat.sees("○ down", "not up", "dataflow up")
        await seat.press("4")
        await seat.sees("orders", "It has not run yet: x runs it.")
        await seat.press("5")
        await seat.sees("The warehouse is empty")
        await seat.press("3")
        await seat.sees("● following")

    drive(act, deferred("tests", make))
    assert made == ["once"]


def test_leaving_with_no_thread_left_goes_on() -> None:
    leave()
