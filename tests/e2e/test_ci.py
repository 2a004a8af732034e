"""`dataflow ci`: passes on this repository, fails for a planted fault, and touches nothing."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.conftest import ROOT, Project, add_workflow
from tests.e2e.conftest import mine

pytestmark = pytest.mark.e2e


def states(junit: Path) -> dict[str, str]:
    """What the JUnit file says of each step."""
    suite = next(iter(ET.parse(junit).getroot()))
    return {case.get("name", ""): case[0].tag if len(case) else "passed" for case in suite.iter("testcase")}


def test_it_passes_on_this_repository(tmp_path: Path) -> None:
    project = Project(ROOT)
    before = mine(project)
    page = tmp_path / "page.md"
    ran = project.call("ci", "nightscout", "--output", str(tmp_path), timeout=580, GITHUB_STEP_SUMMARY=str(page))
    assert ran.code == 0, ran.err
    steps = ("configuration", "validate", "tests", "up", "run nightscout", "down")
    assert states(tmp_path / "junit.xml") == dict.fromkeys(steps, "passed")
    assert ", all good\n" in page.read_text()
    assert mine(project) == before


def test_faults_fail_it_each_at_its_step_and_nothing_of_the_project_is_touched(own: Project, tmp_path: Path) -> None:
    add_workflow(own, "good")
    fragile = add_workflow(own, "fragile", body="raise ValueError('planted')")
    own.write("workflows/good/tests/test_good.py", "def test_planted() -> None:\n    assert 1 == 2\n")
    before = sorted(path for path in own.root.rglob("*") if ".dataflow" not in path.parts)
    ran = own.call("ci", "--json", "--output", str(tmp_path / "out"), timeout=400)
    assert (ran.code, ran.error["code"]) == (8, "CI_FAILED")
    assert states(tmp_path / "out" / "junit.xml") == {
        "configuration": "passed",
        "validate": "passed",
        "tests": "failure",
        "up": "passed",
        "run fragile": "failure",
        "run good": "passed",
        "down": "passed",
    }
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert "- good: test_planted: assert 1 == 2" in summary
    assert "RUN_FAILED: " in summary
    assert "ValueError: planted" in summary
    assert Path(ran.data["bundle"]).is_file()
    assert not (own.root / ".dataflow" / "warehouse.duckdb").exists()
    assert mine(own) == {}

    (fragile / "dagster_job.py").write_text("import nowhere\n")
    broken = own.call("ci", "good", "fragile", timeout=400)
    assert broken.code == 8
    assert "✗ validate" in broken.err or "✗ configuration" in broken.err
    assert f"at {fragile / 'dagster_job.py'}:1" in broken.err
    assert "- up" in broken.err
    assert [path for path in before if not path.exists()] == []
