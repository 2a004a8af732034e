from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from dataflow.config.paths import ProjectPaths
from dataflow.workflows.manifest import load_manifest
from dataflow.workflows.scaffold import Template, render, templates
from tests.conftest import Project

ROOT = Path(__file__).parents[3]
ALL = templates()


@pytest.fixture(params=ALL, ids=lambda one: one.name)
def template(request: pytest.FixtureRequest) -> Template:
    return request.param


def test_there_is_a_template_for_every_kind_of_source() -> None:
    assert [one.name for one in ALL] == ["blank", "api", "database", "dbt", "events", "files"]


def test_nothing_of_the_template_is_left_in_the_workflow(template: Template) -> None:
    for path, text in render(template, "orders").items():
        assert not re.search(r"workflow_(name|description)", str(path) + text, re.IGNORECASE), path


def test_it_has_every_part(template: Template) -> None:
    names = {str(path) for path in render(template, "orders")}
    assert {"config.yaml", "dagster_job.py", "assets.py", "settings.py", "dbt/dbt_project.yml"} <= names
    assert {"tests/test_workflow.py", "evidence/pages/index.md"} <= names
    if template.name != "dbt":
        assert {"ingestion.py", "transform.py", "dbt/models/staging/sources.yml"} <= names


def test_what_it_needs_is_what_its_manifest_says(template: Template, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(render(template, "orders")[Path("config.yaml")])
    assert load_manifest(tmp_path).requires == template.requires


def test_its_manifest_says_where_its_schema_is(template: Template) -> None:
    first, *_ = render(template, "orders")[Path("config.yaml")].splitlines()
    assert first == "# yaml-language-server: $schema=../../.dataflow/schemas/orders.json"
    assert ProjectPaths(Path("/p")).schemas == Path("/p/workflows/orders/../../.dataflow/schemas").resolve()


def test_a_description_may_hold_quotes(template: Template) -> None:
    text = render(template, "orders", 'All "orders" of C:\\shop')[Path("dagster_job.py")]
    values = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert 'All "orders" of C:\\shop' in values


def test_files_parse_and_are_as_ruff_would_write_them(template: Template, tmp_path: Path) -> None:
    # The longest name changes where lines break: those of a usual length stay within 120 characters.
    for path, text in render(template, "orders").items():
        file = tmp_path / "workflows" / "orders" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if path.suffix in {".yml", ".yaml"}:
            yaml.safe_load(text)
    ruff = [sys.executable, "-m", "ruff", "check", "--quiet", "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    ignored = "--extend-ignore=D,S,INP,ERA,SIM117,N802,SLF"
    done = subprocess.run([*ruff, ignored, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_about_of_each_fits_a_line_of_80_columns() -> None:
    folder = ROOT / "dataflow" / "workflows" / "templates"
    for file in folder.glob("*/template.toml"):
        assert len(tomllib.loads(file.read_text())["about"]) <= 68


def test_every_name_that_dbt_refuses_is_refused(project: Project) -> None:
    from dbt.contracts.project import BANNED_PROJECT_NAMES

    from dataflow.errors import UsageError
    from dataflow.operations.context import Context
    from dataflow.operations.scaffold import scaffold

    context = Context.at(project.root)
    for name in sorted(BANNED_PROJECT_NAMES):
        with pytest.raises(UsageError, match=name):
            scaffold(context, name, dry_run=True)
