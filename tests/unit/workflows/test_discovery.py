from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.workflows.discovery import Discovery, discover, merged
from tests.conftest import Project, add_workflow


def found(project: Project) -> Discovery:
    return discover(project.root / "workflows")


def test_a_broken_workflow_is_reported_with_its_line_and_hides_no_other(project: Project) -> None:
    add_workflow(project, "good")
    bad = add_workflow(project, "bad")
    cases = {
        "import nowhere\n": ("import-error", 1),
        "x = 1\ndef broken(:\n": ("syntax-error", 2),
        "x = 1\ny = 1 / 0\n": ("load-error", 2),
        "import sys\nsys.exit(3)\n": ("load-error", 2),
    }
    for text, (rule, line) in cases.items():
        (bad / "dagster_job.py").write_text(text)
        seen = found(project)
        assert [item.info.name for item in seen.workflows] == ["good"]
        assert [(finding.rule, finding.place.line) for finding in seen.findings] == [(rule, line)]
        assert seen.findings[0].place.snippet == text.splitlines()[line - 1]


def test_an_error_in_another_file_of_the_workflow_is_placed_there(project: Project) -> None:
    folder = add_workflow(project, "bad")
    (folder / "helpers.py").write_text("import nowhere\n")
    (folder / "dagster_job.py").write_text("from workflows.bad import helpers\n")
    assert found(project).findings[0].place.path == folder / "helpers.py"


def test_two_workflows_of_one_name_are_a_finding_that_names_the_first(project: Project) -> None:
    add_workflow(project, "one")
    two = add_workflow(project, "two")
    text = (two / "dagster_job.py").read_text().replace('name="two"', 'name="one"')
    (two / "dagster_job.py").write_text(text)
    seen = found(project)
    assert [item.info.name for item in seen.workflows] == ["one"]
    assert seen.findings[0].rule == "workflow-name-taken"
    assert "workflows/one/dagster_job.py" in (seen.findings[0].hint or "")


@pytest.mark.parametrize("name", ["Upper", "has-dash", "1st", "x" * 64, ""])
def test_an_illegal_name_is_refused_with_the_rule(project: Project, name: str) -> None:
    folder = add_workflow(project, "w")
    text = (folder / "dagster_job.py").read_text().replace('name="w"', f'name="{name}"')
    (folder / "dagster_job.py").write_text(text)
    assert [finding.rule for finding in found(project).findings] == ["workflow-name-illegal"]


def test_a_folder_that_python_cannot_import_is_refused(project: Project) -> None:
    add_workflow(project, "w")
    (project.root / "workflows" / "w").rename(project.root / "workflows" / "my-flow")
    finding = found(project).findings[0]
    assert (finding.rule, finding.hint) == ("workflow-name-illegal", "Rename it, for example to 'my_flow'.")


def test_an_asset_that_two_workflows_make_is_a_finding(project: Project) -> None:
    add_workflow(project, "one")
    two = add_workflow(project, "two")
    text = (two / "dagster_job.py").read_text().replace("two_table", "one_table")
    (two / "dagster_job.py").write_text(text)
    seen = found(project)
    assert [finding.rule for finding in seen.findings] == ["asset-key-taken"]
    assert len(seen.workflows) == 1


def test_parameters_become_typed_configuration_of_the_run(project: Project) -> None:
    manifest = """version: 1
parameters:
  days: {type: integer, default: 3}
  since: {type: date, default: 2026-01-31}
  label: {type: string}
"""
    folder = add_workflow(project, "w", manifest=manifest)
    text = (folder / "dagster_job.py").read_text()
    text = text.replace("@dg.asset\n", '@dg.asset(required_resource_keys={"w_parameters"})\n')
    text = text.replace(
        "def w_table() -> None:\n    pass",
        "def w_table(context) -> None:\n    context.log.info(f'{context.resources.w_parameters}')",
    )
    (folder / "dagster_job.py").write_text(text)
    seen = found(project)
    assert seen.findings == ()
    job = merged(seen).resolve_job_def("w")
    result = job.execute_in_process(run_config={"resources": {"w_parameters": {"config": {"days": 7}}}})
    assert result.success
    parameters = {item.name: item.default for item in seen.workflows[0].info.parameters}
    assert parameters == {"days": 3, "since": "2026-01-31", "label": None}


def test_one_project_never_sees_the_workflows_of_another(project: Project, tmp_path: Path) -> None:
    add_workflow(project, "mine")
    other = Project(tmp_path / "other")
    add_workflow(other, "theirs")
    assert [item.info.name for item in found(project).workflows] == ["mine"]
    assert [item.info.name for item in found(other).workflows] == ["theirs"]
