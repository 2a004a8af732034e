"""`workflow init` and `workflow test`: from nothing to a workflow whose tests hold, and what is refused."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import COMMAND, Project, add_workflow


def test_the_templates_are_listed_without_a_project(tmp_path: Path) -> None:
    called = Project(tmp_path).call("workflow", "init", "--list", COLUMNS="80")
    assert called.code == 0
    assert max(map(len, called.out.splitlines())) <= 80
    for name in ("blank", "api", "files", "database", "events", "dbt"):
        assert name in called.out


def test_a_workflow_is_made_whole_and_says_what_to_do_next(project: Project) -> None:
    called = project.call("workflow", "init", "orders", "--template", "files", "--json")
    assert called.code == 0, called.out
    made = project.root / "workflows" / "orders"
    assert {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} == set(called.data["files"])
    assert called.data["requires"] == ["object-store"]
    assert (made.stat().st_mode & 0o777, [p.name for p in made.parent.iterdir()]) == (0o755, ["orders"])
    listed = project.call("workflow", "list", "--json")
    assert (listed.code, [one["name"] for one in listed.data["workflows"]]) == (0, ["orders"])
    assert project.call("config", "validate").code == 0


def test_a_dry_run_shows_the_tree_and_makes_nothing(project: Project) -> None:
    called = project.call("workflow", "init", "orders", "--dry-run")
    assert "would be made" in called.out
    assert "orders_daily.sql" in called.out
    assert list((project.root / "workflows").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["Orders"], "WORKFLOW_NAME_ILLEGAL", "lower-case"),
        (["class"], "WORKFLOW_NAME_ILLEGAL", "class_data"),
        (["json"], "WORKFLOW_NAME_ILLEGAL", "json_data"),
        (["marts"], "WORKFLOW_NAME_ILLEGAL", "marts_data"),
        (["../x"], "WORKFLOW_NAME_ILLEGAL", "lower-case"),
        (["there"], "WORKFLOW_EXISTS", "another name"),
        (["orders", "--template", "fils"], "TEMPLATE_UNKNOWN", "files"),
        ([], "NAME_MISSING", "workflow init orders"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    project: Project, words: list[str], code: str, says: str
) -> None:
    project.write("workflows/there/mine.txt", "mine")
    called = project.call("workflow", "init", *words, "--json")
    assert (called.code, called.error["code"]) == (2, code)
    assert says in called.error["hint"]
    assert [str(path.relative_to(project.root)) for path in (project.root / "workflows").rglob("*")] == [
        "workflows/there", "workflows/there/mine.txt",
    ]  # fmt: skip


def test_a_full_disk_leaves_no_half_workflow(project: Project, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("a file system of a fixed size needs the right to mount")
    try:
        (project.root / "workflows").rmdir()
        (project.root / "workflows").symlink_to(place)
        called = project.call("workflow", "init", "orders", "--template", "files", "--json")
        assert (called.code, called.error["code"]) == (1, "DISK_FULL")
        assert list(place.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def test_in_a_terminal_name_and_template_are_asked_for(project: Project) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "workflow", "init"], cwd=project.root, env=project.env(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = _until(ours, "Template")
    assert "An HTTP API" in seen
    os.write(ours, b"dbt\n")
    _until(ours, "Name")
    os.write(ours, b"sales\n")
    _until(ours, "Run it")
    assert process.wait(60) == 0
    assert (project.root / "workflows" / "sales" / "dbt" / "seeds" / "sales_sales.csv").exists()


def _until(terminal: int, text: str) -> str:
    seen, deadline = "", time.monotonic() + 60
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


def test_tests_run_and_failures_are_named_with_their_reason(project: Project) -> None:
    add_workflow(project, "tested")
    add_workflow(project, "bare")
    project.write("workflows/tested/tests/test_it.py", "def test_good(): pass\ndef test_bad(): assert 1 == 2\n")
    called = project.call("workflow", "test", "--json")
    assert (called.code, called.error["code"]) == (8, "TESTS_FAILED")
    assert {(one["name"], one["outcome"]) for one in called.data["tests"]} == {
        ("test_good", "passed"), ("test_bad", "failed"),
    }  # fmt: skip
    assert called.data["without"] == ["bare"]
    assert "assert 1 == 2" in called.error["hint"]
    assert called.error["actions"][0]["command"] == "dataflow workflow test tested --only test_bad"
    good = project.call("workflow", "test", "tested", "--only", "good")
    assert (good.code, "1 test in" in good.out) == (0, True)
    none = project.call("workflow", "test", "tested", "--only", "nothing", "--json")
    assert (none.code, none.error["code"]) == (2, "TESTS_MISSING")
    missing = project.call("workflow", "test", "bare", "--json")
    assert (missing.code, missing.error["code"]) == (2, "TESTS_MISSING")
    assert not list((project.root / "workflows").rglob("__pycache__"))


def test_a_test_file_that_cannot_be_imported_is_told_with_the_exception(project: Project) -> None:
    add_workflow(project, "tested")
    project.write("workflows/tested/tests/test_it.py", "import nowhere_at_all\n")
    called = project.call("workflow", "test", "tested", "--json")
    assert (called.code, called.error["code"]) == (8, "TESTS_FAILED")
    assert "test_it.py of tested" in called.error["message"]
    assert "No module named 'nowhere_at_all'" in called.error["hint"]
