"""`dataflow dbt`: what people see of models, tests, docs and macros, with the real dbt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Project
from tests.unit.workflows.test_dbt import FILES, write

CODE = """
from pathlib import Path

import dagster as dg

from dataflow.workflows.dbt import dbt_models
from dataflow.workflows.registry import register_workflow


@register_workflow(name="shop", description="Orders and their sum.")
def build() -> dg.Definitions:
    return dg.Definitions(assets=[dbt_models(Path(__file__).parent / "dbt", workflow="shop", variables={"orders": 4})])
"""
MACRO = "{% macro greet(name) %}{{ log('hello ' ~ name, info=true) }}{% endmacro %}"
ORDERS = FILES["models/orders.sql"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one small dbt project; a test puts back what it breaks."""
    project = Project(tmp_path_factory.mktemp("shop"))
    project.write("dataflow.toml", 'name = "shop"\n')
    project.write("workflows/shop/config.yaml", "version: 1\n")
    project.write("workflows/shop/dagster_job.py", CODE)
    for name, text in FILES.items():
        write(project.root / "workflows/shop/dbt" / name, text)
    write(project.root / "workflows/shop/dbt/macros/greet.sql", MACRO)
    return project


def model(project: Project) -> Path:
    return project.root / "workflows/shop/dbt/models/orders.sql"


def test_build_tells_every_node_and_readers_see_the_rows(shop: Project) -> None:
    built = shop.call("dbt", "build")
    assert built.code == 0, built.err
    assert [line.split("  ")[:2] for line in built.err.splitlines() if line.startswith("✓")] == [
        ["✓ orders", "1 of 4"],
        ["✓ not_null_orders_id", "2 of 4"],
        ["✓ unique_orders_id", "3 of 4"],
        ["✓ totals", "4 of 4"],
    ]
    assert built.out.startswith("shop: 2 models, 2 tests, all good, in ")
    assert shop.call("data", "query", "select orders from totals", "--json").data["rows"] == [[4]]


def test_changed_builds_what_differs_and_what_is_made_of_it(shop: Project) -> None:
    assert shop.call("dbt", "build", "--changed").out == "Nothing to do: no node is selected.\n"
    totals = shop.root / "workflows/shop/dbt/models/totals.sql"
    before = totals.read_text()
    totals.write_text(before + " -- changed")
    built = shop.call("dbt", "build", "--changed", "--json")
    totals.write_text(before)
    assert [node["name"] for node in built.data["nodes"]] == ["totals"]


def test_validate_finds_columns_that_are_not_there_before_anything_is_built(shop: Project) -> None:
    folder = shop.root / "workflows/shop/dbt/models"
    kept = {path: path.read_text() for path in folder.iterdir()}
    properties = next(path for path in kept if path.suffix == ".yml")
    (folder / "totals.sql").write_text("select\n  count(*) as orders,\n  sum(idd) as sum\nfrom {{ ref('orders') }}\n")
    (folder / "broken.sql").write_text("select id,, from {{ ref('orders') }}\n")
    properties.write_text(kept[properties].replace("- name: id", "- name: ident", 1))
    found = shop.call("workflow", "validate", "shop", "--json")
    answer = shop.root / ".dataflow/dbt/shop/columns.json"
    made = answer.stat().st_mtime_ns
    again = shop.call("workflow", "validate", "shop", "--json")
    assert answer.stat().st_mtime_ns == made, "what was found is kept"
    (folder / "broken.sql").unlink()
    for path, text in kept.items():
        path.write_text(text)
    assert found.code == again.code == 4
    assert found.data["findings"] == again.data["findings"]
    seen = {
        (one["rule"], Path(one["place"]["path"]).name, one["place"]["line"], one["hint"])
        for one in found.data["findings"]
    }
    line = kept[properties][: kept[properties].index("- name: id")].count("\n") + 1
    assert seen == {
        ("dbt-column", "totals.sql", 3, "Did you mean 'id'?"),
        ("dbt-column", properties.name, line, "There are: id."),
        ("dbt-sql", "broken.sql", 1, None),
    }
    assert shop.call("workflow", "validate", "shop").code == 0
    assert shop.call("data", "query", "select orders from totals", "--json").data["rows"] == [[4]], "not touched"


def test_a_failed_test_is_8_and_shows_its_sql_and_rows(shop: Project) -> None:
    model(shop).write_text("select unnest([7, 7, 8]) as id")
    failed = shop.call("dbt", "build", "shop")
    model(shop).write_text(ORDERS)
    assert failed.code == 8
    assert "✗ unique_orders_id  3 of 4, 1 rows" in failed.err
    assert "- totals" in failed.err
    shown = failed.err.partition("test unique_orders_id\n")[2].splitlines()
    assert shown[0] == "  Got 1 result, configured to fail if != 0"
    assert Path(shown[1].removeprefix("  its SQL: ")).read_text().startswith("\n    \n    \n\nselect\n    id as unique")
    assert [line.split() for line in (shown[2], shown[4])] == [["unique_field", "n_records"], ["7", "2"]]
    assert "CHECKS_FAILED  1 of 4 tests failed, first unique_orders_id: Got 1 result" in failed.err


def test_a_model_that_cannot_be_built_is_1_with_duckdbs_words(shop: Project) -> None:
    model(shop).write_text("select nowhere as id")
    failed = shop.call("dbt", "build", "shop", "--json")
    model(shop).write_text(ORDERS)
    assert (failed.code, failed.error["code"]) == (1, "DBT_FAILED")
    assert 'first orders: Binder Error: Referenced column "nowhere"' in failed.error["message"]
    assert {node["name"]: node["state"] for node in failed.data["nodes"]} == {
        "orders": "failure",
        "not_null_orders_id": "skipped",
        "unique_orders_id": "skipped",
        "totals": "skipped",
    }


@pytest.mark.parametrize("name", ["models/totals.sql", "tests/few.sql"])
def test_a_model_that_is_not_there_is_4_with_its_place(shop: Project, name: str) -> None:
    path = shop.root / "workflows/shop/dbt" / name
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text("select 1\nfrom {{ ref('odrers') }}\n")
    failed = shop.call("dbt", "test", "shop", "--json")
    path.write_text(before) if before else path.unlink()
    assert (failed.code, failed.error["place"]["path"], failed.error["place"]["line"]) == (4, str(path), 2)
    assert "odrers" in failed.error["message"]


def test_docs_are_one_page_and_a_macro_says_what_it_logs(shop: Project) -> None:
    made = shop.call("dbt", "docs", "shop", "--json")
    page = Path(made.data["page"])
    assert page == shop.root / ".dataflow/dbt/shop/docs.html"
    assert "model.shop.totals" in page.read_text()
    assert shop.call("dbt", "run-operation", "shop", "greet", "--args", "{name: you}").out.splitlines() == [
        "hello you",
        "greet of shop ran.",
    ]
    unknown = shop.call("dbt", "run-operation", "shop", "great", "--json")
    assert (unknown.code, unknown.error["code"]) == (1, "DBT_FAILED")
    message = unknown.error["message"].replace('"', "'")  # dbt writes either, by what else went wrong
    assert "could not find a macro with the name 'great'" in message


def test_a_workflow_without_models_is_told(shop: Project) -> None:
    plain = shop.call("dbt", "build", "shoop", "--json")
    assert (plain.code, plain.error["code"]) == (2, "WORKFLOW_UNKNOWN")
