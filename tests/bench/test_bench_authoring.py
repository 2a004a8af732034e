"""Starting a workflow, and validating fifty: against what importing them costs in any case."""

from __future__ import annotations

import statistics
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from tests.bench.test_bench_cli import timed
from tests.conftest import Project, add_workflow

pytestmark = pytest.mark.bench
PROGRAM = str(Path(sys.executable).with_name("dataflow"))


def called(project: Project, *words: str) -> None:
    subprocess.run([PROGRAM, *words], cwd=project.root, env=project.env(), capture_output=True, check=True)


def test_init_of_a_workflow(project: Project) -> None:
    numbers = count()
    seconds = statistics.median(
        timed(lambda: called(project, "workflow", "init", f"new{next(numbers)}", "--template", "files"))
        for _ in range(9)
    )
    floor = statistics.median(timed(lambda: called(project, "--version")) for _ in range(9))
    print(
        f"\nworkflow init --template files                   {seconds:.3f} s  of which start-up {floor:.3f} s  "
        f"ratio {seconds / floor:.2f}  (budget 0.40)"
    )


def test_validate_of_fifty_workflows(project: Project) -> None:
    for number in range(50):
        add_workflow(project, f"flow{number:02}")
    bare = "import dagster, pathlib, sys; sys.path.insert(0, '.'); import importlib\n"
    bare += "[importlib.import_module(f'workflows.flow{n:02}.dagster_job').build() for n in range(50)]"

    def imported() -> None:
        subprocess.run([sys.executable, "-c", bare], cwd=project.root, env=project.env(), check=True)

    theirs = statistics.median(timed(imported) for _ in range(3))
    cold = timed(lambda: called(project, "workflow", "validate"))
    warm = statistics.median(timed(lambda: called(project, "workflow", "validate")) for _ in range(5))
    for what, seconds, budget in (("cold", cold, 3.0), ("unchanged", warm, 0.7)):
        print(
            f"\nworkflow validate of 50, {what:<24} {seconds:.2f} s  importing them {theirs:.2f} s  "
            f"ratio {seconds / theirs:.2f}  (budget {budget:.1f})"
        )
