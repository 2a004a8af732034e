"""The dbt bridge: parsed once per change, errors with file and line, models as assets and tests as checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataflow.errors import ConfigurationError, OperationFailedError
from dataflow.workflows.dbt import DbtProject, dbt_models, fingerprint, prepare

FILES = {
    "dbt_project.yml": 'name: shop\nversion: "1.0"\nprofile: shop\nmodels:\n  shop:\n    +materialized: table\n',
    "profiles.yml": """
        shop:
          target: here
          outputs:
            here: {type: duckdb, path: "{{ env_var('DATAFLOW_WAREHOUSE_PATH') }}", threads: 1}
        """,
    "models/orders.sql": "select unnest(range({{ var('orders', 3) }})) as id",
    "models/totals.sql": "select count(*) as orders from {{ ref('orders') }}",
    "models/shop.yml": """
        version: 2
        models:
          - name: orders
            columns:
              - name: id
                data_tests: [unique, not_null]
        """,
}


def make(root: Path, patch: pytest.MonkeyPatch) -> Path:
    """A small dbt project at <workflow>/dbt, and the environment that the engine sets."""
    patch.setenv("DATAFLOW_STATE_DIR", str(root / "state"))
    patch.setenv("DATAFLOW_WAREHOUSE_PATH", str(root / "warehouse.duckdb"))
    for name, text in FILES.items():
        write(root / "shop" / "dbt" / name, text)
    return root / "shop" / "dbt"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one's own, to be changed and broken; each parse takes dbt a second or two."""
    return make(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that no test changes, so that it is parsed once for all of them."""
    with pytest.MonkeyPatch.context() as patch:
        yield make(tmp_path_factory.mktemp("shared"), patch)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def manifest_of(parsed: Path) -> dict[str, Any]:
    return json.loads((parsed / "manifest.json").read_text())


def test_an_unchanged_project_is_parsed_once_and_nothing_is_written_into_it(shared: Path) -> None:
    before = names(shared)
    first = prepare(DbtProject(shared, "shop"))
    made = (first / "manifest.json").stat().st_mtime_ns
    assert prepare(DbtProject(shared, "shop")) == first
    assert (first / "manifest.json").stat().st_mtime_ns == made
    assert names(shared) == before


def test_dbt_is_told_to_send_nothing(shared: Path) -> None:
    parsed = prepare(DbtProject(shared, "shop"))
    assert manifest_of(parsed)["metadata"]["send_anonymous_usage_stats"] is False


def test_the_fingerprint_follows_files_variables_and_warehouse_but_not_what_dbt_makes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = DbtProject(folder, "shop")
    seen = [fingerprint(plain), fingerprint(DbtProject(folder, "shop", (("orders", 5),)))]
    write(folder / "target" / "manifest.json", "{}")
    assert fingerprint(plain) == seen[0]
    write(folder / "models" / "more.sql", "select 1 as one")
    seen.append(fingerprint(plain))
    (folder / "models" / "more.sql").rename(folder / "models" / "less.sql")
    seen.append(fingerprint(plain))
    monkeypatch.setenv("DATAFLOW_WAREHOUSE_PATH", "/elsewhere/other.duckdb")
    seen.append(fingerprint(plain))
    assert len(set(seen)) == 5


def test_a_change_is_parsed_anew_and_old_results_do_not_pile_up(folder: Path) -> None:
    old = folder.parents[1] / "state" / "dbt" / "shop" / "parsed"
    for number in range(9):
        (old / f"old{number}").mkdir(parents=True)
        os.utime(old / f"old{number}", (number, number))
    write(folder / "models" / "more.sql", "select 1 as one")
    parsed = prepare(DbtProject(folder, "shop"))
    assert "model.shop.more" in manifest_of(parsed)["nodes"]
    assert {path.name for path in old.iterdir()} == {parsed.name, "old4", "old5", "old6", "old7", "old8"}


def test_two_processes_at_once_parse_once_and_both_get_the_result(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dataflow.workflows.dbt import DbtProject, prepare;"
        "print(prepare(DbtProject(Path(sys.argv[1]), 'shop')))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    here = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: subprocess.run(command, env=here, capture_output=True, text=True), range(2)))
    assert [one.returncode for one in done] == [0, 0], done[0].stderr + done[1].stderr
    assert done[0].stdout == done[1].stdout
    parsed = Path(done[0].stdout.strip())
    assert [path.name for path in parsed.parent.iterdir()] == [parsed.name]


@pytest.mark.parametrize(
    ("name", "text", "place", "line", "says"),
    [
        ("models/orders.sql", "select 1\nfrom {{ ref( }}", "models/orders.sql", 2, "unexpected"),
        ("models/totals.sql", "select * from {{ ref('nowhere') }}", "models/totals.sql", 1, "nowhere"),
        ("models/shop.yml", "version: 2\nmodels:\n  - name: [x\n", "models/shop.yml", 3, "Syntax error"),
        ("dbt_project.yml", "name: shop\nprofile: : x\n", "dbt_project.yml", 2, "mapping values"),
    ],
)
def test_what_dbt_refuses_is_a_configuration_error_with_its_place(
    folder: Path, name: str, text: str, place: str, line: int | None, says: str
) -> None:
    write(folder / name, text)
    with pytest.raises(ConfigurationError) as caught:
        prepare(DbtProject(folder, "shop"))
    error = caught.value
    assert error.code == "DBT_INVALID"
    assert says in error.message
    assert error.place is not None
    assert error.place.path == folder / place
    assert error.place.line == line
    assert list((folder.parents[1] / "state" / "dbt" / "shop" / "parsed").iterdir()) == [], "no half-made result"


def test_a_folder_without_a_project_is_said_to_be_so(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        prepare(DbtProject(folder / "models", "shop"))
    assert caught.value.code == "DBT_MISSING"


@pytest.mark.parametrize("name", ["DATAFLOW_STATE_DIR", "DATAFLOW_WAREHOUSE_PATH"])
def test_a_missing_variable_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError) as caught:
        prepare(DbtProject(folder, "shop"))
    assert caught.value.code == "VARIABLE_MISSING"
    assert name in caught.value.message


def test_models_are_assets_of_the_workflow_and_tests_are_checks(shared: Path) -> None:
    models = dbt_models(shared, workflow="shop")
    assert models.keys == {dg.AssetKey(["shop", "orders"]), dg.AssetKey(["shop", "totals"])}
    assert {key.name for key in models.check_keys} == {"unique_orders_id", "not_null_orders_id"}
    assert set(models.group_names_by_key.values()) == {"shop"}
    assert models.op.pool == "duckdb"


def test_a_run_builds_models_checks_them_and_leaves_the_project_alone(shared: Path) -> None:
    before = names(shared)
    result = dg.materialize([dbt_models(shared, workflow="shop")])
    assert result.success
    assert {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()} == {
        "shop/orders",
        "shop/totals",
    }
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True, True]
    assert names(shared) == before
    run = shared.parents[1] / "state" / "dbt" / "shop" / "runs" / result.run_id
    assert (run / "run_results.json").is_file()
    assert "Nothing changed, skipping partial parsing" in (run / "dbt.log").read_text(), "parsed already"


def test_a_model_that_fails_says_why_without_the_command_line(folder: Path) -> None:
    write(folder / "models" / "totals.sql", "select no_such_column from {{ ref('orders') }}")
    with pytest.raises(OperationFailedError) as caught:
        dg.materialize([dbt_models(folder, workflow="shop")])
    error = caught.value
    assert error.code == "DBT_FAILED"
    assert "no_such_column" in error.message
    assert "--vars" not in error.message
    assert error.place is not None
    assert error.place.path == folder / "models" / "totals.sql"
