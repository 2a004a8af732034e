"""`workflow validate`: every template is good at once, and each of many faults is told with its rule, file and line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, Project

TEMPLATES = ("blank", "api", "files", "database", "events", "dbt")
# template, file, what is written there, what it becomes, rule, how the hint or the message goes on
PAGE, JOB = "evidence/pages/index.md", "dagster_job.py"
# workflow, file, what is written there, what it becomes, rule, what the message or the hint says
FAULTS = [
    ("keys", "config.yaml", "version: 1", "versoin: 1", "unknown-key", "Did you mean 'version'?"),
    ("keys", "config.yaml", "settings:", "settings:\n  sampel: 1", "unknown-key", "sampel"),
    ("needs", "config.yaml", "[object-store]", "[object-stor]", "service-unknown", "Did you mean 'object-store'?"),
    ("imports", "ingestion.py", "import pyarrow", "import pyarow", "import-error", "pyarow"),
    ("syntax", "transform.py", "def ", "def (", "syntax-error", "does not parse"),
    ("cron", JOB, '    # schedule="15 6 * * *",', '    schedule="15 25 * * *",', "schedule-illegal", "cron"),
    ("named", JOB, 'name="named"', 'name="Named"', "workflow-name-illegal", "lower-case"),
    ("refs", "dbt/models/marts/refs_daily.sql", "ref('stg_", "ref('stgg_", "dbt-invalid", "stgg_"),
    ("tested", "dbt/models/marts/tested_daily.sql", "ref('stg", "source('raw_tested', 'mes", "dbt-invalid", "mes_"),
    ("many", "assets.py", 'pool="duckdb",', "", "pool-missing", 'pool="duckdb"'),
    ("many", "settings.py", "from pydantic", "import os\nfrom pydantic", "", ""),
    (
        "many",
        "settings.py",
        "\n\nclass",
        "\nKEY = os.environ.get('PARTNER_KEY')\n\nclass",
        "secret-undeclared",
        "PARTNER",
    ),
    ("many", PAGE, "<LineChart", "<LinChart", "component-unknown", "Did you mean 'LineChart'?"),
    ("many", PAGE, "<DataTable data={daily}", "<DataTable data={dayly}", "query-unknown", "'daily'?"),
    ("many", PAGE, "title: many\n---", "title: many\n---\n[x](/by-day)", "link-broken", "/by-day"),
    ("many", PAGE, "order by day", "ordr by day", "sql-syntax", "daily"),
    ("tables", PAGE, "from marts.tables_daily", "from marts.tables_dayly", "table-unknown", "tables_daily"),
]
BROKEN = [fault for fault in FAULTS if fault[4]]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a workflow of every template, and a warehouse that holds one table."""
    project = _project(tmp_path_factory.mktemp("validate"))
    for name in TEMPLATES:
        _init(project, f"{name}_one", name)
    return project


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[dict[str, Any]]]:
    """A project with every fault, and what one call says of it."""
    project = _project(tmp_path_factory.mktemp("faulty"))
    for name in dict.fromkeys(fault[0] for fault in FAULTS):
        _init(project, name, "files" if name == "needs" else "blank")
    for name, file, old, new, *_ in FAULTS:
        path = project.root / "workflows" / name / file
        text = path.read_text()
        assert old in text, (name, file, old)
        path.write_text(text.replace(old, new, 1))
    called = project.call("workflow", "validate", "--json", timeout=400)
    assert called.code == 4, called.out
    return project, called.data["findings"]


def _project(root: Path) -> Project:
    import duckdb

    project = Project(root)
    project.write("dataflow.toml", "")
    warehouse = root / ".dataflow" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    tables = "create schema marts; create table marts.other as select 1 as amount"
    duckdb.connect(str(warehouse)).execute(tables).close()
    return project


def _init(project: Project, name: str, template: str) -> None:
    called = project.call("workflow", "init", name, "--template", template)
    assert called.code == 0, called.err


def test_every_template_is_good_at_once(many: Project) -> None:
    called = many.call("workflow", "validate", "--json", timeout=400)
    assert (called.code, called.data["findings"]) == (0, []), called.out
    assert set(called.data["workflows"]) == {f"{name}_one" for name in TEMPLATES}
    assert "All good: blank_one." in many.call("workflow", "validate", "blank_one").out


@pytest.mark.parametrize("fault", BROKEN, ids=[f"{fault[0]}-{fault[4]}" for fault in BROKEN])
def test_a_fault_is_told_with_its_place(
    found: tuple[Project, list[dict[str, Any]]], fault: tuple[str, str, str, str, str, str]
) -> None:
    name, file, _, new, rule, says = fault
    project, findings = found
    path = project.root / "workflows" / name / file
    told = [one for one in findings if one["rule"] == rule and Path(one["place"]["path"]) == path]
    mine = [one for one in told if says in f"{one['message']} {one['hint']}"]
    assert mine, [one for one in findings if f"/{name}/" in one["place"]["path"]]
    line = path.read_text().split("\n")[mine[0]["place"]["line"] - 1]
    # The step itself, below its decorator; else a line that the fault brought.
    assert line.startswith("def ") if rule == "pool-missing" else any(part and part in line for part in new.split("\n"))


def test_there_are_no_findings_but_those(found: tuple[Project, list[dict[str, Any]]]) -> None:
    assert len(found[1]) == len(BROKEN)


def test_columns_are_known_where_the_table_is_there(many: Project) -> None:
    page = many.root / "workflows" / "blank_one" / "evidence" / "pages" / "more.md"
    page.write_text(
        "```sql a\nselect amount\nfrom marts.other\n```\n```sql b\nselect amuont from marts.other\n```\n"
        "```sql c\nselect * from ${a} where amount = ${inputs.x.value}\n```\n"
        "```sql d\nselect amount + 1 as n from ${a}\n```\n"
        "<BarChart data={a} x=b y=amount />\n<BarChart data={d} x=n />\n<DataTable data={c} />\n"
    )
    try:
        found = many.call("workflow", "validate", "blank_one", "--json").data["findings"]
    finally:
        page.unlink()
    assert [(one["rule"], one["place"]["line"]) for one in found] == [("column-unknown", 6), ("column-unknown", 14)]
    assert [one["hint"] for one in found] == ["Did you mean 'amount'?", "It has: amount."]


def test_a_secret_that_is_not_set_is_a_warning_and_no_fault(many: Project) -> None:
    path = many.root / "workflows" / "blank_one" / "config.yaml"
    good = path.read_text()
    path.write_text(good.replace("version: 1\n", "version: 1\nsecrets:\n  - name: PARTNER_KEY\n", 1))
    try:
        called = many.call("workflow", "validate", "blank_one", "--json")
        set_ = many.call("workflow", "validate", "blank_one", "--json", PARTNER_KEY="x")
    finally:
        path.write_text(good)
    assert called.code == 0
    assert [(one["rule"], one["severity"]) for one in called.data["findings"]] == [("secret-unset", "warning")]
    assert set_.data["findings"] == []


def test_the_formats_of_machines_name_file_and_line_below_the_project(many: Project) -> None:
    page = many.root / "workflows" / "blank_one" / "evidence" / "pages" / "more.md"
    page.write_text("text\n<Chrt />\n")
    try:
        github = many.call("workflow", "validate", "blank_one", "--format", "github")
        sarif = many.call("workflow", "validate", "blank_one", "--format", "sarif")
        plain = many.call("workflow", "validate", "blank_one", "--format", "json")
    finally:
        page.unlink()
    assert (github.code, sarif.code, plain.code) == (4, 4, 4)
    below = "workflows/blank_one/evidence/pages/more.md"
    assert f"::error file={below},line=2,col=1,title=component-unknown::" in github.out
    result = json.loads(sarif.out)["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (below, 2)
    assert plain.data["findings"][0]["rule"] == "component-unknown"


def test_a_workflow_that_is_not_there_is_named_with_a_near_one(many: Project) -> None:
    called = many.call("workflow", "validate", "blank_on", "--json")
    assert (called.code, called.error["code"]) == (2, "WORKFLOW_UNKNOWN")
    assert called.error["hint"] == "Did you mean 'blank_one'?"


def test_watching_looks_again_at_a_change_and_ends_with_ctrl_c(many: Project) -> None:
    page = many.root / "workflows" / "blank_one" / "evidence" / "pages" / "watched.md"
    command = [*COMMAND, "workflow", "validate", "blank_one", "--watch", "--json"]
    with subprocess.Popen(command, cwd=many.root, env=many.env(), stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        assert json.loads(watching.stdout.readline())["findings"] == []
        page.write_text("<Chrt />\n")
        assert json.loads(watching.stdout.readline())["findings"][0]["rule"] == "component-unknown"
        page.unlink()
        assert json.loads(watching.stdout.readline())["findings"] == []
        watching.send_signal(2)
        assert json.loads(watching.stdout.readline())["error"]["code"] == "INTERRUPTED"
        assert watching.wait(20) == 130
