from __future__ import annotations

import os
import shutil
from pathlib import Path

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
