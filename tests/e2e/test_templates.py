"""Every template on the native engine: its tests hold, it runs, and running it again adds nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dataflow.workflows.scaffold import templates
from tests.conftest import Project

pytestmark = pytest.mark.e2e
NAMES = [one.name for one in templates()]
CONTENT = """
select table_schema || '.' || table_name from information_schema.tables
where table_schema in ('marts', 'staging') or table_schema like 'raw_%' order by all
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a workflow of each template. Only the object store is up: runs need no Dagster."""
    root = tmp_path_factory.mktemp("templates") / "started"
    root.mkdir()
    (root / "dataflow.toml").write_text("")
    project = Project(root)
    for name in NAMES:
        called = project.call("workflow", "init", f"my_{name}", "--template", name)
        assert called.code == 0, called.err
    assert project.call("start", "object-store").code == 0
    yield project
    project.call("down")


def content(project: Project) -> dict[str, Any]:
    """Every row of every table."""
    found = project.call("data", "query", CONTENT, "--json")
    assert found.code == 0, found.out
    tables = [row[0] for row in found.data["rows"]]
    one = " union all ".join(
        f"select '{table}' as name, to_json(t)::varchar as row from {table} as t" for table in tables
    )
    rows = project.call("data", "query", f"from ({one}) order by all", "--limit", "10000", "--json").data["rows"]
    return {table: [row for name, row in rows if name == table] for table in tables}


def test_they_load_side_by_side(started: Project) -> None:
    listed = started.call("workflow", "list", "--json")
    assert listed.code == 0, listed.out
    assert {one["name"] for one in listed.data["workflows"]} == {f"my_{name}" for name in NAMES}
    assert all(one["checks"] for one in listed.data["workflows"])


def test_their_tests_hold(started: Project) -> None:
    called = started.call("workflow", "test", "--json", timeout=900)
    assert called.code == 0, called.error
    assert {test["workflow"] for test in called.data["tests"]} == {f"my_{name}" for name in NAMES}
    assert {test["outcome"] for test in called.data["tests"]} == {"passed"}


def test_they_run_and_a_second_run_adds_nothing(started: Project) -> None:
    def run_all() -> dict[str, Any]:
        for name in NAMES:
            ran = started.call("workflow", "run", f"my_{name}", "--json")
            assert ran.code == 0, ran.out
            assert all(check["passed"] for check in ran.data["progress"]["checks"])
        return content(started)

    first = run_all()
    assert {f"marts.my_{name}_{'by_country' if name == 'database' else 'daily'}" for name in NAMES} <= set(first)
    assert all(first.values()), "no table is empty"
    assert run_all() == first
