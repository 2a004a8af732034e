"""The main job, as the README tells it: up, run, look."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import Project, timed

CALLS = [
    ("up", ["up", "--engine", "native"]),
    ("status", ["status"]),
    ("workflow run", ["workflow", "run", "nightscout"]),
    ("workflow runs", ["workflow", "runs"]),
    ("workflow list", ["workflow", "list"]),
    ("workflow show", ["workflow", "show", "nightscout"]),
    ("workflow status", ["workflow", "status", "last"]),
    ("workflow logs", ["workflow", "logs", "last"]),
    ("data tables", ["data", "tables"]),
    ("data query", ["data", "query", "from marts.nightscout_daily limit 3"]),
    ("storage ls", ["storage", "ls", "lake/"]),
    ("config show", ["config", "show"]),
    ("config validate", ["config", "validate"]),
    ("engine show", ["engine", "show"]),
    ("logs", ["logs", "--tail", "3"]),
    ("open", ["open", "--print"]),
]


@pytest.mark.parametrize(("command", "arguments"), CALLS, ids=[command for command, _ in CALLS])
def test_json_is_what_the_schema_says(platform: Project, command: str, arguments: list[str]) -> None:
    called = platform.call(*arguments, "--json")
    assert called.code == 0, called.out
    envelope = json.loads(platform.call("schema", "envelope").out)
    schema = json.loads(platform.call("schema", *command.split()).out)
    Draft202012Validator(envelope).validate(called.json)
    Draft202012Validator(schema).validate(called.data)
    assert called.json["command"] == command
    event = Draft202012Validator(json.loads(platform.call("schema", "event").out))
    for line in called.out.strip().splitlines()[:-1]:
        item = json.loads(line)
        assert item["event"] in {"step_changed", "noted", "log_seen", "progressed"}
        event.validate({key: value for key, value in item.items() if key not in {"schema", "command", "event"}})


def test_the_daily_table_holds_ninety_days_that_make_sense(platform: Project) -> None:
    sql = """select count(*), min(tir_pct) >= 0, max(tir_pct + below_pct + above_pct) between 99.9 and 100.1
             from marts.nightscout_daily where tir_pct is not null"""
    days, above_zero, whole = platform.call("data", "query", sql, "--json").data["rows"][0]
    assert 85 <= days <= 92
    assert above_zero
    assert whole


def test_running_it_again_adds_nothing_twice(platform: Project) -> None:
    sql = "select count(*), count(distinct id) from raw_nightscout.entries"
    before = platform.call("data", "query", sql, "--json").data["rows"]
    assert platform.call("workflow", "run", "nightscout").code == 0
    assert platform.call("data", "query", sql, "--json").data["rows"] == before


def test_status_shows_services_workflows_and_data(platform: Project) -> None:
    data = platform.call("status", "--json").data
    assert data["state"] == "up"
    assert {service["name"] for service in data["services"]} >= {"object-store", "dagster-webserver", "dagster-daemon"}
    for service in data["services"]:
        assert (service["state"], service["health"]) == ("running", "healthy"), service
        assert service["pid"] > 0
        assert service["memory"] > 1_000_000
    (example,) = (one for one in data["workflows"] if one["name"] == "nightscout")
    assert example["last_run"]["state"] == "success"
    assert (data["checks"]["known"], data["checks"]["failing"], data["assets"]["stale"]) == (23, [], [])
    assert data["assets"]["known"] == 9
    assert data["warehouse"]["bytes"] > 100_000
    assert data["warehouse"]["snapshot"]
    assert data["engine"] == {"name": "native", "reason": "asked for by environment (DATAFLOW_ENGINE)"}


def test_the_running_dagster_and_its_files_tell_the_same_at_a_glance(platform: Project) -> None:
    from dataflow.clients.dagster import DagsterClient
    from dataflow.clients.glance import ServerGlance
    from dataflow.clients.glance_files import FilesGlance
    from dataflow.config.paths import ProjectPaths

    url = platform.call("open", "--print").out.strip()
    server, files = ServerGlance(DagsterClient(url)), FilesGlance(ProjectPaths(platform.root).dagster_home)
    assert [run for run in files.last_runs() if run.workflow == "nightscout"] == server.last_runs()
    one, two = files.data(), server.data()
    computed = [{a.key: int(a.computed.timestamp()) for a in data.assets if a.computed} for data in (one, two)]
    assert computed[0] == computed[1]
    checks = [{(c.asset, c.name, c.passed, c.severity) for c in data.checks} for data in (one, two)]
    assert checks[0] == checks[1]
    assert len(checks[0]) == 23


def test_status_for_people_fits_eighty_columns(platform: Project) -> None:
    out = platform.call("status", COLUMNS="80").out
    assert max(len(line) for line in out.splitlines()) <= 80
    for word in ("object-store", "healthy", "nightscout", "success", "warehouse"):
        assert word in out


def test_up_again_changes_nothing_and_is_quick(platform: Project) -> None:
    before = {service["name"]: service["pid"] for service in platform.call("status", "--json").data["services"]}
    called = platform.call("up", "--json")
    assert {action["verb"] for action in called.data["actions"]} == {"keep"}
    assert called.data["seconds"] < 3
    assert {service["name"]: service["pid"] for service in called.data["services"]} == before


def test_a_service_stops_and_starts_alone(platform: Project) -> None:
    stopped = platform.call("stop", "dagster-daemon", "--json").data["services"]
    assert [(service["name"], service["state"]) for service in stopped] == [("dagster-daemon", "stopped")]
    status = platform.call("status", "--json", "--exit-code")
    assert (status.code, status.data["state"]) == (6, "degraded")
    started = platform.call("start", "dagster-daemon", "--json")
    assert started.code == 0, started.out
    assert platform.call("status", "--exit-code").code == 0


def test_restart_gives_a_new_process(platform: Project) -> None:
    def pid() -> int:
        services = platform.call("status", "--json").data["services"]
        return next(service["pid"] for service in services if service["name"] == "object-store")

    before = pid()
    assert platform.call("restart", "object-store").code == 0
    assert pid() != before


def test_exec_runs_in_the_environment_of_the_projects_code(platform: Project) -> None:
    code = "import os; print(os.environ['DATAFLOW_WAREHOUSE_PATH'], os.environ['DATAFLOW_S3_ENDPOINT'])"
    called = platform.call("exec", "--", "python", "-c", code)
    assert called.out.split()[0] == str(platform.root / ".dataflow" / "warehouse.duckdb")
    assert called.out.split()[1].startswith("http://127.0.0.1:")
    assert platform.call("exec", "--", "sh", "-c", "exit 9").code == 9
    missing = platform.call("exec", "--", "no-such-program")
    assert (missing.code, "PROGRAM_MISSING" in missing.err) == (5, True)


def test_open_a_service_without_a_page_says_which_have_one(platform: Project) -> None:
    called = platform.call("open", "object-store", "--json")
    assert (called.code, called.error["code"]) == (2, "NO_PAGE")
    assert "dagster-webserver" in called.error["hint"]


def test_every_change_leaves_an_audit_line(platform: Project) -> None:
    lines = [json.loads(line) for line in (platform.root / ".dataflow" / "audit.jsonl").read_text().splitlines()]
    seen = {(line["operation"], line["outcome"]) for line in lines}
    assert {("init", "done"), ("up", "done"), ("workflow run", "done")} <= seen
    assert all(line["actor"] and line["timestamp"] for line in lines)


def test_no_secret_is_in_any_file_but_env(platform: Project) -> None:
    values = [line.split("=", 1)[1] for line in (platform.root / ".env").read_text().splitlines() if "=" in line]
    assert len(values) == 4
    for path in (platform.root / ".dataflow").rglob("*"):
        inside = path.relative_to(platform.root / ".dataflow").parts[0]
        if path.is_file() and inside != "objects":  # the store keeps its own credentials
            content = path.read_bytes()
            assert not [value for value in values if value.encode() in content], path


def test_everything_listens_on_loopback_only(platform: Project) -> None:
    import psutil

    from tests.e2e.conftest import mine

    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for pid in mine(platform)
        for connection in psutil.Process(pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_data_goes_out_and_comes_back_the_same(platform: Project) -> None:
    assert platform.call("data", "export", "marts.nightscout_daily", "daily.parquet", "--replace").code == 0
    assert platform.call("storage", "put", "daily.parquet", "scratch/").code == 0
    got = platform.call("storage", "get", "scratch/daily.parquet", "copy.parquet", "--replace", "--json").data
    assert (platform.root / "copy.parquet").read_bytes() == (platform.root / "daily.parquet").read_bytes()
    assert got["sha256"]
    loaded = platform.call(
        "data", "ingest", "copy.parquet", "--into", "scratch.daily", "--mode", "replace", "--json"
    ).data
    assert loaded["quarantined"] == 0
    sql = "select (select count(*) from scratch.daily) = (select count(*) from marts.nightscout_daily)"
    assert platform.call("data", "query", sql, "--json").data["rows"] == [[True]]
    refused = platform.call("storage", "rm", "scratch/daily.parquet", "--json")
    assert (refused.code, refused.error["code"]) == (3, "CONFIRMATION_NEEDED")
    assert platform.call("storage", "rm", "scratch/daily.parquet", "--yes").code == 0
    gone = platform.call("storage", "get", "scratch/daily.parquet", "x.parquet", "--json")
    assert (gone.code, gone.error["code"]) == (1, "OBJECT_MISSING")


def test_history_is_the_same_with_and_without_dagster(platform: Project) -> None:
    with_dagster = platform.call("workflow", "runs", "--json").data["runs"]
    platform.call("stop", "dagster-webserver")
    try:
        without = platform.call("workflow", "runs", "--json").data["runs"]
        run = platform.call("workflow", "run", "nightscout", "--json", timeout=400)
        assert run.data["through"] == "process", run.out
    finally:
        platform.call("start", "dagster-webserver")
    key = [(item["id"], item["state"], item["workflow"]) for item in with_dagster]
    assert [(item["id"], item["state"], item["workflow"]) for item in without] == key
    newest = platform.call("workflow", "runs", "--json").data["runs"][0]
    assert (newest["id"], newest["state"]) == (run.data["run"]["id"], "success")


def test_while_a_run_holds_the_warehouse_the_snapshot_answers_within_a_second(
    platform: Project, tmp_path: Path
) -> None:
    holder = tmp_path / "hold.py"
    holder.write_text(
        "import time\nfrom dataflow.shared import db\n"
        "with db.write_connection() as connection:\n"
        "    connection.execute('create or replace table scratch_held as select 1')\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    question = ("data", "query", "select count(*) from marts.nightscout_daily", "--json")
    alone, _ = timed(platform, *question)
    process = platform.start("exec", "--", "python", str(holder))
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        seconds, asked = timed(platform, *question)
        assert asked.code == 0, asked.out
        assert (asked.data["source"], asked.data["stale"]) == ("snapshot", True)
        assert asked.data["rows"][0][0] > 80
        assert seconds < 2 * alone + 1.0, "it waits for the lock"
        assert "this is the snapshot of" in platform.call("data", "tables").out
        locked = platform.call(
            "data", "query", "create table no_way as select 1", "--write", "--json", DATAFLOW_WAREHOUSE_LOCK_WAIT="0.5"
        )
        assert (locked.code, locked.error["code"]) == (1, "WAREHOUSE_LOCKED")
        assert "hold.py" in locked.error["message"]  # who holds it, by pid and command
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
