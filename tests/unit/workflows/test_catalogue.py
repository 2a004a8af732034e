from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from jsonschema import Draft202012Validator

from dataflow.config.paths import ProjectPaths
from dataflow.workflows.catalogue import Catalogue, catalogue, kept
from tests.conftest import Project, add_workflow


def ask(project: Project) -> Catalogue:
    return catalogue(ProjectPaths(project.root), os.environ)


def test_the_answer_is_kept_until_the_content_of_a_file_changes(project: Project) -> None:
    marker = project.root / "imports"
    folder = add_workflow(project, "w", body=f"pass\n\nopen({str(marker)!r}, 'a').write('x')")
    first = ask(project)
    assert [item.name for item in first.workflows] == ["w"]
    assert ask(project) == first
    assert marker.read_text() == "x"
    os.utime(folder / "dagster_job.py")  # touched, not changed
    assert ask(project) == first
    assert marker.read_text() == "x"
    (folder / "config.yaml").write_text("version: 1\nrequires: [object-store]\n")
    assert ask(project).workflows[0].requires == ("object-store",)
    assert marker.read_text() == "xx"


TYPED = """
from pydantic import BaseModel, Field

import dagster as dg

from dataflow.workflows.registry import register_workflow


class Settings(BaseModel, extra="forbid"):
    pages: int = Field(ge=1, description="Pages at most.")


@register_workflow(name="typed", description="Tests.", settings=Settings)
def build() -> dg.Definitions:
    return dg.Definitions()
"""


def test_an_editor_finds_the_schema_of_each_manifest_also_of_one_that_is_wrong(project: Project) -> None:
    add_workflow(project, "free")
    folder = add_workflow(project, "typed")
    (folder / "dagster_job.py").write_text(TYPED)
    (folder / "config.yaml").write_text("version: 1\nsettings: {pages: none}\n")
    assert [item.name for item in ask(project).workflows] == ["free"]
    schemas = {
        name: json.loads((project.root / ".dataflow" / "schemas" / f"{name}.json").read_text())
        for name in ("free", "typed")
    }
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    free, typed = (Draft202012Validator(schemas[name]) for name in ("free", "typed"))
    assert free.is_valid({"version": 1, "requires": ["object-store"], "settings": {"any": 1}})
    assert free.is_valid({})
    assert not free.is_valid({"require": []})
    assert typed.is_valid({"version": 1, "settings": {"pages": 2}})
    assert [error.json_path for error in typed.iter_errors({"settings": {"pages": 0, "page": 1}})] == [
        "$.settings", "$.settings.pages",
    ]  # fmt: skip
    assert not typed.is_valid({"version": 1}), "its settings must be there"


def test_a_corrupt_cache_is_made_anew(project: Project) -> None:
    add_workflow(project, "w")
    first = ask(project)
    cache = project.root / ".dataflow" / "run" / "workflows.json"
    for text in ("{", "[]", '{"key": 1}', '{"key": "x", "catalogue": {}}'):
        cache.write_text(text)
        assert ask(project) == first


def test_a_workflow_that_ends_the_process_hides_no_other(project: Project) -> None:
    add_workflow(project, "good")
    bad = add_workflow(project, "bad")
    (bad / "dagster_job.py").write_text("import os\nos._exit(9)\n")
    seen = ask(project)
    assert [item.name for item in seen.workflows] == ["good"]
    assert [(finding.rule, Path(finding.place.path).parent.name) for finding in seen.findings] == [
        ("load-crashed", "bad")
    ]


def test_a_workflow_that_prints_does_not_disturb_the_answer(project: Project) -> None:
    add_workflow(project, "w", body='pass\n\nprint(\'{"not": "ours"}\')')
    assert [item.name for item in ask(project).workflows] == ["w"]


def test_what_was_kept_of_the_last_workflow_goes_with_it(project: Project) -> None:
    folder = add_workflow(project, "w")
    ask(project)
    shutil.rmtree(folder)
    assert ask(project) == Catalogue((), ())
    assert kept(ProjectPaths(project.root)) == Catalogue((), ())
