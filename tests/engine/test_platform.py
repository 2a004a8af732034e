"""The whole platform on a real engine, with every profile: what comes up, what it says, computes, and hides."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project, add_workflow
from tests.e2e.test_help_examples import ON_DOCKER
from tests.engine import collected, dashboards
from tests.engine.conftest import compose_name, container, containers, docker, eventually, inspect, services

# No image registry carries it where these tests run; where one does, it must come up like all others.
MAY_BE_ABSENT = {"grafana"}
JOBS = {"bucket-init", "dagster-migrate"}


def listed(project: Project, *arguments: str) -> list[dict[str, str]]:
    """What plain `docker compose ps` says, called in the project's folder as a user does."""
    done = subprocess.run(
        ["docker", "compose", "ps", "--format", "json", *arguments],
        cwd=project.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_service_whose_image_can_be_had_is_healthy_and_only_the_others_are_absent(platform: Project) -> None:
    found = services(platform)
    absent = {name for name, service in found.items() if service["state"] == "unavailable"}
    assert absent <= MAY_BE_ABSENT
    for name in absent:
        assert "cannot be had" in found[name]["detail"]
    assert {name for name in JOBS if found[name]["state"] == "completed"} == JOBS
    rest = {name: (s["state"], s["health"]) for name, s in found.items() if name not in absent | JOBS}
    assert set(rest.values()) == {("running", "healthy")}, rest
    assert len(rest) == 12 + (not absent)
    assert platform.call("status", "--exit-code").code == 0


def test_plain_docker_compose_agrees_with_status(platform: Project) -> None:
    ours = services(platform)
    theirs = {line["Service"]: line for line in listed(platform, "-a")}
    running = {name for name, line in theirs.items() if line["State"] == "running"}
    assert running == {name for name, service in ours.items() if service["state"] == "running"}
    assert {name for name in running if theirs[name]["Health"] != ours[name]["health"]} == set()
    for name in JOBS:
        assert (theirs[name]["State"], str(theirs[name]["ExitCode"])) == ("exited", "0")
    assert {line["Image"] for line in theirs.values()} == {s["image"] for s in ours.values() if s["image"]}


def test_plain_docker_compose_up_changes_nothing(platform: Project) -> None:
    before = {line["Service"]: line["ID"] for line in listed(platform)}
    subprocess.run(
        ["docker", "compose", "up", "-d", "--no-build", "--pull", "never", *sorted(set(before) - JOBS)],
        cwd=platform.root, check=True, capture_output=True,
    )  # fmt: skip
    assert {line["Service"]: line["ID"] for line in listed(platform)} == before
    planned = platform.call("up", "--dry-run", "--json").data["actions"]
    assert {action["verb"] for action in planned} <= {"keep", "skip"}


def test_status_has_image_usage_and_ports(platform: Project) -> None:
    services(platform)
    time.sleep(1)
    found = services(platform)
    web = found["dagster-webserver"]
    assert web["image"].startswith("dataflow-toolkit:")
    assert 50_000_000 < web["memory"] < 1_000_000_000
    assert 0 <= web["cpu"] < 200
    assert web["ports"][0]["name"] == "http"
    assert f":{web['ports'][0]['number']}" in web["url"]
    assert found["dagster-code"]["ports"] == []


def test_a_second_up_keeps_everything(platform: Project) -> None:
    called = platform.call("up", "--json")
    assert called.code == 0
    assert {action["verb"] for action in called.data["actions"]} <= {"keep", "skip"}
    assert "was up already" in platform.call("up").out


def test_the_example_computes_the_same_rows_as_natively(platform: Project, tmp_path: Path) -> None:
    native = Project(tmp_path / "native")
    assert Project(tmp_path).call("init", "native").code == 0
    try:
        assert native.call("up", "object-store").code == 0
        assert native.call("workflow", "run", "nightscout", timeout=400).code == 0
        for table in (
            "raw_nightscout.entries",
            "raw_nightscout.treatments",
            "raw_nightscout.quarantine",
            "marts.nightscout_readings",
            "marts.nightscout_profile",
            "marts.nightscout_daily",
        ):
            # Every value of every row, whatever their order.
            sql = f"select count(*), sum(hash(t)::hugeint)::varchar from {table} t"
            one, two = (project.call("data", "query", sql, "--json").data["rows"] for project in (native, platform))
            assert one == two, table
            assert one[0][0] > 20, table
    finally:
        native.call("down")


def test_the_host_reads_the_warehouse_that_containers_write(platform: Project) -> None:
    rows = platform.call("data", "query", "select count(*) from marts.nightscout_daily", "--json").data["rows"]
    assert rows == [[90]]
    assert platform.call("data", "query", "create table main.from_host as select 1 as x", "--write").code == 0
    inside = (
        "import duckdb; "
        "reader = duckdb.connect('/warehouse/warehouse.duckdb', read_only=True); "
        "print(reader.sql('from main.from_host').fetchall())"
    )
    assert platform.call("exec", "--", "python", "-c", inside).out.strip() == "[(1,)]"
    assert platform.call("data", "query", "drop table main.from_host", "--write").code == 0
    assert (platform.root / ".dataflow" / "warehouse.duckdb").stat().st_uid == (os.getuid() or 10001)


def test_runs_their_logs_and_objects_are_reached_from_the_host(platform: Project) -> None:
    (run,) = platform.call("workflow", "runs", "--limit", "1", "--json").data["runs"]
    assert run["state"] == "success"
    detail = platform.call("workflow", "status", run["id"][:8], "--json").data
    assert len(detail["progress"]["steps"]) == 6
    assert "snapshot published" in platform.call("workflow", "logs", run["id"][:8]).out
    assert any("nightscout" in o["place"] for o in platform.call("storage", "ls", "lake", "--json").data["objects"])


def test_a_run_is_cancelled_from_the_host(platform: Project) -> None:
    body = "import time\n    time.sleep(120)"
    folder = add_workflow(platform, "patient", body=body)
    try:
        launched = platform.call("workflow", "run", "patient", "--detach", "--json", timeout=400)
        assert launched.code == 0, launched.out
        run_id = launched.data["run_id"]

        def state() -> str:
            return platform.call("workflow", "status", run_id, "--json").data["run"]["state"]

        eventually(lambda: state() == "running", 60, "the run began in its container")
        began = time.monotonic()
        assert platform.call("workflow", "cancel", run_id).code == 0
        assert state() == "canceled"
        assert time.monotonic() - began < 15
    finally:
        for path in folder.iterdir():
            path.unlink() if path.is_file() else None


def test_a_changed_workflow_runs_without_a_new_image_or_container(platform: Project) -> None:
    before = {name: inspect(container(platform, name))["Id"] for name in ("dagster-code", "dagster-daemon")}
    add_workflow(platform, "fresh", body="print('one')")
    assert platform.call("workflow", "run", "fresh", timeout=400).code == 0
    add_workflow(platform, "fresh", body="raise ValueError('two')")
    failed = platform.call("workflow", "run", "fresh", "--json", timeout=400)
    assert (failed.code, "two" in failed.error["message"]) == (7, True)
    assert {name: inspect(container(platform, name))["Id"] for name in before} == before


MADE = {  # template -> a table and its rows, once what cannot be believed is set aside
    "dbt": ("marts.from_dbt_daily", 4),
    "files": ("raw_from_files.orders", 6),
}


def test_workflows_from_templates_run_and_again_add_nothing(platform: Project) -> None:
    names = [f"from_{template}" for template in MADE]
    try:
        for name in names:  # all at first: what is new is imported once, by the first run
            made = platform.call("workflow", "init", name, "--template", name.removeprefix("from_"))
            assert made.code == 0, made.err
        for name in names * 2:
            ran = platform.call("workflow", "run", name, "--json", timeout=400)
            assert ran.code == 0, ran.out
            assert ran.data["through"] == "dagster"
        sql = " union all ".join(f"select '{table}', count(*) from {table}" for table, _ in MADE.values())
        found = platform.call("data", "query", sql, "--json").data["rows"]
        assert sorted(map(tuple, found)) == sorted(MADE.values())
    finally:
        for name in names:
            shutil.rmtree(platform.root / "workflows" / name, ignore_errors=True)


def test_exec_open_and_logs(platform: Project) -> None:
    assert platform.call("exec", "--", "printenv", "DATAFLOW_S3_ENDPOINT").out.strip() == "http://object-store:8333"
    assert platform.call("exec", "--", "sh", "-c", "exit 7").code == 7
    assert platform.call("exec", "--service", "postgres", "--", "id", "-un").out.strip() == "postgres"
    assert platform.call("open", "prometheus", "--print").out.startswith("http://127.0.0.1:")
    lines = platform.call("logs", "postgres", "--tail", "500", "--json").data["lines"]
    assert any("ready to accept connections" in line["message"] for line in lines)
    wrong = platform.call("exec", "--service", "postgress", "--", "id", "--json")
    assert (wrong.code, "Did you mean 'postgres'" in wrong.err) == (2, True)


def test_logs_are_followed_over_a_restart(platform: Project) -> None:
    process = platform.start("logs", "node-exporter", "--follow", "--tail", "0")
    assert process.stdout
    time.sleep(2)
    assert platform.call("restart", "node-exporter").code == 0
    began = time.monotonic()
    assert "node-exporter" in process.stdout.readline()
    assert time.monotonic() - began < 20
    process.kill()
    process.communicate()


QUESTIONS = (
    ("--tail", "0"),
    ("--tail", "7"),
    ("--level", "warn"),
    ("--grep", "listening|ready|start", "--ignore-case"),
    ("--grep", "database system"),
    ("--exclude", "e"),
)


def test_loki_and_docker_give_the_same_answers(platform: Project) -> None:
    names = ("postgres", "object-store", "dagster-webserver", "dagster-daemon", "prometheus")
    # Asked of Loki last: what is older than a minute by then comes from Loki alone.
    until = (datetime.now(UTC) - timedelta(seconds=2)).isoformat()

    def answers() -> list[list[tuple[str, str]]]:
        found: list[list[tuple[str, str]]] = []
        for question in QUESTIONS:
            called = platform.call("logs", *names, *question, "--until", until, "--json")
            assert called.code == 0, called.out
            # Loki keeps no blank lines, not even inside of an event.
            texts = [(line["service"], line["raw"].split("\n")) for line in called.data["lines"]]
            found.append([(name, "\n".join(filter(None, lines))) for name, lines in texts])
        return found

    figures = platform.call("logs", "--query", 'sum by (service) (count_over_time({service=~".+"}[5m]))', "--json")
    assert {"postgres", "object-store", "dagster-daemon"} <= {
        one["labels"].split('"')[1] for one in figures.data["series"]
    }
    lines = platform.call("logs", "--query", '{service="postgres"} |= "ready to accept"', "--since", "1d", "--json")
    assert {line["level"] for line in lines.data["lines"]} == {"info"}
    assert failed_query(platform) == (2, "QUERY_INVALID")
    assert platform.call("stop", "loki").code == 0
    try:
        from_docker = answers()
    finally:
        assert platform.call("start", "loki").code == 0
    deadline = time.monotonic() + 60  # a collector may be late
    while (from_loki := answers()) != from_docker and time.monotonic() < deadline:
        time.sleep(2)
    for question, one, two in zip(QUESTIONS, from_loki, from_docker, strict=True):
        missing, more = Counter(two) - Counter(one), Counter(one) - Counter(two)
        assert (missing, more) == ({}, {}), f"{question}: Loki lacks the first and has more of the second"
        assert one == two, question
    assert sum(map(len, from_loki)) > 20


def failed_query(project: Project) -> tuple[int, str]:
    called = project.call("logs", "--query", "{service=", "--json")
    return called.code, called.error["code"]


def test_the_collector_keeps_labels_few_and_runs_searchable(platform: Project) -> None:
    collected.check(platform)


def test_a_run_whose_file_is_gone_is_read_from_loki(platform: Project) -> None:
    (run,) = platform.call("workflow", "runs", "nightscout", "--limit", "1", "--json").data["runs"]
    file = platform.root / ".dataflow" / "logs" / "runs" / f"{run['id']}.jsonl"
    asked = ("logs", "--run", run["id"][:8], "--tail", "0", "--json")
    before = [line["raw"] for line in platform.call(*asked).data["lines"]]
    assert before == file.read_text().splitlines()
    aside = file.rename(file.with_suffix(".aside"))
    try:
        assert [line["raw"] for line in platform.call(*asked).data["lines"]] == before
    finally:
        aside.rename(file)


def test_one_service_stops_within_seconds_and_starts_again_and_others_go_on(platform: Project) -> None:
    before = {name: state for name, state in containers(platform).items() if name != "alertmanager"}
    began = time.monotonic()
    assert platform.call("stop", "alertmanager").code == 0
    assert time.monotonic() - began < 5
    assert services(platform)["alertmanager"]["state"] == "stopped"
    assert {name: state for name, state in containers(platform).items() if name != "alertmanager"} == before
    assert platform.call("status", "--json").data["state"] == "degraded"
    called = platform.call("start", "alertmanager", "--json")
    assert [item["health"] for item in called.data["services"]] == ["healthy"]


def test_restart_with_dependants_restarts_them(platform: Project) -> None:
    before = {
        name: inspect(container(platform, name))["State"]["StartedAt"]
        for name in ("loki", "log-collector", "prometheus")
    }
    assert platform.call("restart", "loki", "--with-dependants", timeout=400).code == 0
    after = {name: inspect(container(platform, name))["State"]["StartedAt"] for name in before}
    assert {name for name in before if before[name] != after[name]} == {"loki", "log-collector"}


def test_no_service_waits_for_a_kill(platform: Project, tmp_path: Path) -> None:
    """Each ends at its signal, well within its grace period.

    But one: SeaweedFS 4.48 waits 10 s where its admin server loses the master before it gave back its lock, in one of
    20 stops, and no option changes that. It is killed after 5 s; then what it had acknowledged must be there.
    """
    stored = tmp_path / "stored"
    stored.write_bytes(os.urandom(1_000_000))
    assert platform.call("storage", "put", str(stored), "lake/kept/stored").code == 0
    slow: dict[str, float] = {}
    for name, state in sorted(containers(platform).items()):
        if state != "running":
            continue
        began = time.time()
        assert platform.call("stop", name).code == 0
        seconds = from_signal_to_end(container(platform, name), began)
        killed = inspect(container(platform, name))["State"]["ExitCode"] == 137
        if seconds > 6 or (killed and name != "object-store"):
            slow[name] = round(seconds, 1)
    assert platform.call("up", timeout=400).code == 0
    assert slow == {}
    assert platform.call("storage", "get", "lake/kept/stored", str(tmp_path / "again")).code == 0
    assert (tmp_path / "again").read_bytes() == stored.read_bytes()
    assert platform.call("storage", "rm", "lake/kept/stored", "--yes").code == 0


def from_signal_to_end(name: str, since: float) -> float:
    """Seconds from the first signal to the end, as the engine tells: our command's own start is not in it."""
    span = ["--since", f"{since:.6f}", "--until", f"{time.time():.6f}"]
    only = [f"--filter={one}" for one in (f"container={name}", "event=kill", "event=die")]
    found = docker("events", *span, *only, "--format", "{{json .}}")
    times = [json.loads(line)["timeNano"] for line in found.splitlines()]
    assert len(times) >= 2, found
    return (times[-1] - times[0]) / 1e9


def test_the_killed_daemon_comes_back_and_its_run_is_told_as_failed(platform: Project) -> None:
    add_workflow(platform, "victim", body="import time\n    time.sleep(60)")
    run_id = platform.call("workflow", "run", "victim", "--detach", "--json", timeout=400).data["run_id"]

    def state() -> str:
        return platform.call("workflow", "status", run_id, "--json").data["run"]["state"]

    eventually(lambda: state() == "running", 60, "the run began")
    docker("kill", "--signal", "KILL", container(platform, "dagster-daemon"))
    eventually(lambda: containers(platform)["dagster-daemon"] != "running" or state() != "running", 10, "it is gone")
    platform.call("up")
    eventually(lambda: state() == "failure", 60, "the run is told as failed")


def test_a_retry_from_the_failure_has_what_an_earlier_container_made(platform: Project) -> None:
    code = add_workflow(platform, "parts", body="return 41") / "dagster_job.py"
    failing = "@dg.asset\ndef second(parts_table: int) -> None:\n    {body}\n\n\n@register_workflow"
    text = code.read_text().replace("-> None", "-> int").replace("[parts_table]", "[parts_table, second]")
    try:
        code.write_text(text.replace("@register_workflow", failing.format(body="raise ValueError(parts_table)")))
        failed = platform.call("workflow", "run", "parts", "--json", timeout=400)
        assert failed.code == 7
        assert "41" in failed.error["message"]
        code.write_text(text.replace("@register_workflow", failing.format(body="assert parts_table == 41")))
        assert platform.call("restart", "dagster-code", "dagster-daemon").code == 0
        called = platform.call("workflow", "retry", failed.data["run"]["id"], "--from-failure", "--json", timeout=400)
        assert called.code == 0, called.out
        assert [step["name"] for step in called.data["progress"]["steps"]] == ["second"]
    finally:
        shutil.rmtree(code.parent)


def test_a_changed_env_recreates_only_what_runs_code_and_says_why(platform: Project) -> None:
    env = platform.root / ".env"
    before = env.read_text()
    try:
        env.write_text(f"NIGHTSCOUT_TOKEN='it has $igns and \"quotes\" # too'\n{before}")
        planned = platform.call("up", "--dry-run", "--json").data["actions"]
        assert {a["service"]: a["cause"] for a in planned if a["verb"] not in {"keep", "skip"}} == {
            "dagster-code": "NIGHTSCOUT_TOKEN changed",
            "dagster-daemon": "NIGHTSCOUT_TOKEN changed",
        }
        assert platform.call("up", timeout=400).code == 0
        told = platform.call("exec", "--", "printenv", "NIGHTSCOUT_TOKEN").out
        assert told.strip() == 'it has $igns and "quotes" # too'
    finally:
        env.write_text(before)
        assert platform.call("up", timeout=400).code == 0


def test_metrics_and_logs_of_every_service_arrive(platform: Project) -> None:
    from dataflow.system.http import ask_json

    prometheus = services(platform)["prometheus"]["url"]
    loki = f"http://127.0.0.1:{services(platform)['loki']['ports'][0]['number']}"

    def targets() -> dict[str, str]:
        _, answer = ask_json(f"{prometheus}/api/v1/targets?state=active", service="Prometheus")
        return {target["labels"]["job"]: target["health"] for target in answer["data"]["activeTargets"]}

    eventually(lambda: set(targets().values()) == {"up"}, 60, "every target is scraped")
    assert set(targets()) == {"prometheus", "alertmanager", "dataflow", "loki", "node", "postgres"}

    def logged() -> set[str]:
        _, answer = ask_json(f"{loki}/loki/api/v1/label/service/values?since=6h", service="Loki")
        return set(answer.get("data", ()))

    wanted = {name for name, state in containers(platform).items() if state == "running"} - {
        "prometheus",
        "alertmanager",
    }
    eventually(lambda: wanted <= logged(), 60, "the lines of every service are in Loki")


def test_every_panel_of_every_dashboard_shows_what_there_is(platform: Project) -> None:
    found = services(platform)
    loki = f"http://127.0.0.1:{found['loki']['ports'][0]['number']}"
    urls = {"prometheus": found["prometheus"]["url"], "loki": loki}

    def empty() -> list[str]:
        """Every query is asked: a back end that refuses one fails the test at once."""
        answers = [(query, dashboards.ask(query, urls)) for query in dashboards.queries()]
        return [str(query) for query, answer in answers if not answer and not query.may_be_empty]

    deadline = time.monotonic() + 60
    while left := empty():
        assert time.monotonic() < deadline, "nothing to show:\n" + "\n".join(left)
        time.sleep(2)


@pytest.mark.parametrize(("name", "text"), ON_DOCKER, ids=[text for _, text in ON_DOCKER])
def test_the_examples_about_docker_run(platform: Project, name: str, text: str) -> None:
    if name == "engine switch":
        pytest.skip("tests/engine/test_switch.py does it both ways")
    called = platform.call(*shlex.split(text), timeout=400)
    assert called.code == 0, called.err or called.out


def test_results_fit_their_schemas(platform: Project) -> None:
    from jsonschema import validate

    from dataflow.cli.schemas import schema_of

    for words in (["up"], ["status"], ["engine", "show"], ["backup", "list"], ["up", "--dry-run"]):
        called = platform.call(*words, "--json")
        validate(called.data, schema_of(" ".join(word for word in words if not word.startswith("--"))))


def test_the_view_in_a_terminal_fits_80_columns(platform: Project) -> None:
    shown = platform.call("status", COLUMNS="80")
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "docker engine" in shown.out


# --- Security --------------------------------------------------------------------------------------------------------


# An access key's id is no secret, as a user's name is none: the object store writes it to its log.
SECRETS = {"DATAFLOW_S3_SECRET_KEY", "DATAFLOW_POSTGRES_PASSWORD", "DATAFLOW_GRAFANA_PASSWORD"}


def secrets(project: Project) -> dict[str, str]:
    lines = (line.partition("=") for line in (project.root / ".env").read_text().splitlines())
    return {name: value for name, _, value in lines if name in SECRETS}


def test_no_port_is_published_beyond_loopback(platform: Project) -> None:
    for name in containers(platform):
        for bindings in (inspect(container(platform, name))["HostConfig"]["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}, name


def test_no_container_has_more_rights_than_it_needs(platform: Project) -> None:
    for name in containers(platform):
        host = inspect(container(platform, name))["HostConfig"]
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert (host["Privileged"], host["NetworkMode"] != "host", host["PidMode"]) == (False, True, ""), name
        assert host["Init"] is True, name
        assert host["Memory"] > 0, name
        assert host["LogConfig"]["Config"].keys() >= {"max-size", "max-file"}, name
        allowed = {"object-store": {"CAP_CHOWN", "CAP_SETGID", "CAP_SETUID"}}
        assert set(host["CapAdd"] or ()) <= allowed.get(name, set()), name


def test_only_the_log_collector_has_the_socket(platform: Project) -> None:
    holders = {
        name
        for name in containers(platform)
        if any("docker.sock" in mount["Source"] for mount in inspect(container(platform, name))["Mounts"])
    }
    assert holders == {"log-collector"}
    (mount,) = [m for m in inspect(container(platform, "log-collector"))["Mounts"] if "docker.sock" in m["Source"]]
    assert mount["RW"] is False


def test_what_runs_the_projects_code_is_nobody_special(platform: Project) -> None:
    for name in ("dagster-code", "dagster-daemon", "dagster-webserver", "exporter"):
        uid = docker("exec", container(platform, name), "id", "-u")
        assert uid == str(os.getuid() or 10001), name


def test_secrets_are_generated_and_stand_only_in_the_environment_that_needs_them(platform: Project) -> None:
    known = secrets(platform)
    assert len(set(known.values())) == 3
    assert min(map(len, known.values())) >= 40
    assert oct((platform.root / ".env").stat().st_mode)[-3:] == "600"
    needs = {
        "DATAFLOW_S3_SECRET_KEY": {"object-store", "bucket-init", "dagster-code", "dagster-daemon", "exporter"},
        "DATAFLOW_POSTGRES_PASSWORD": {
            "dagster-migrate",
            "dagster-code",
            "dagster-daemon",
            "dagster-webserver",
            "exporter",
        },
        "DATAFLOW_GRAFANA_PASSWORD": set(),
    }
    for name in containers(platform):
        facts = inspect(container(platform, name))
        outside = json.dumps({**facts, "Config": {**facts["Config"], "Env": []}})
        logs = "\n".join(line["raw"] for line in platform.call("logs", name, "--tail", "5000", "--json").data["lines"])
        for secret, value in known.items():
            in_env = any(value in pair for pair in facts["Config"]["Env"])
            assert in_env == (name in needs[secret]), f"{secret} in the environment of {name}"
            assert value not in outside, f"{secret} in the inspection of {name}"
            assert value not in logs, f"{secret} in the log of {name}"


def test_secrets_are_in_no_file_and_in_no_output(platform: Project) -> None:
    known = secrets(platform).values()
    for words in (
        ["status", "--json"],
        ["up", "--dry-run", "--json"],
        ["config", "show", "--json"],
        ["logs", "--tail", "100"],
    ):
        text = platform.call(*words).out
        assert not [value for value in known if value in text], words
    for path in (platform.root / ".dataflow").rglob("*"):
        if path.is_file() and path.name != "workflow.env":
            content = path.read_bytes()
            assert not [value for value in known if value.encode() in content], path


def test_nothing_answers_without_credentials_or_with_default_ones(platform: Project) -> None:
    store = services(platform)["object-store"]["ports"][0]["number"]
    code = (
        "import sys; from dataflow.shared.minio import ObjectStore\n"
        f"for key, secret in (('minioadmin', 'minioadmin'), ('admin', 'admin'), ('', '')):\n"
        f"    try: ObjectStore('http://127.0.0.1:{store}', key, secret).buckets(); sys.exit(key or 'anonymous')\n"
        "    except Exception as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    refused = docker(
        "exec", container(platform, "dagster-code"), "python", "-c",
        "import psycopg2\n"
        "for password in ('', 'postgres', 'dataflow', 'password'):\n"
        "    for user in ('postgres', 'dataflow'):\n"
        "        try: psycopg2.connect(host='postgres', user=user, password=password, dbname='dagster')\n"
        "        except psycopg2.OperationalError: continue\n"
        "        print('IN', user)\n",
    )  # fmt: skip
    assert "IN" not in refused


def test_memory_of_the_whole_profile_stays_below_four_gigabytes(platform: Project) -> None:
    total = sum(service["memory"] or 0 for service in services(platform).values())
    assert 500_000_000 < total < 4_000_000_000


def test_the_folder_and_compose_project_bear_the_projects_name(platform: Project) -> None:
    assert compose_name(platform).startswith("whole-")
