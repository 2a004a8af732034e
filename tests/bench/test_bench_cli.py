"""Start-up against an empty Typer app: ratios are printed, nothing fails on a time."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Project, add_workflow

pytestmark = pytest.mark.bench

EMPTY = """
import typer
app = typer.Typer()
@app.command()
def one(name: str, flag: bool = False, number: int = 1): ...
@app.command()
def two(name: str, flag: bool = False, number: int = 1): ...
def version(value: bool):
    if value:
        typer.echo("empty 1")
        raise typer.Exit
@app.callback()
def root(version: bool = typer.Option(False, "--version", callback=version, is_eager=True)): ...
if __name__ == "__main__":
    app(prog_name="empty")
"""


def paired(ours: Callable[[], None], theirs: Callable[[], None], rounds: int = 11) -> tuple[float, float, float]:
    """Median seconds of both, in turn, and the median of the ratios pair by pair."""
    ours(), theirs()  # warm
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    ratio = statistics.median(one / two for one, two in pairs)
    return statistics.median(one for one, _ in pairs), statistics.median(two for _, two in pairs), ratio


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def tell(what: str, ours: float, theirs: float, ratio: float, budget: float) -> None:
    print(f"\n{what:<44} {ours:.3f} s  peer {theirs:.3f} s  ratio {ratio:.2f}  (budget {budget:.2f})")


@pytest.mark.parametrize(
    ("what", "arguments", "env", "budget"),
    [
        ("--version against an empty Typer app", ["--version"], {}, 1.3),
        ("--help against an empty Typer app", ["--help"], {}, 1.5),
        ("completion against an empty Typer app", [], {"COMP_WORDS": "x o", "COMP_CWORD": "1"}, 1.3),
    ],
)
def test_start_up(
    tmp_path: Path, project: Project, what: str, arguments: list[str], env: dict[str, str], budget: float
) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text(EMPTY)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | env

    def call(command: list[str], name: str) -> None:
        extra = {f"_{name}_COMPLETE": "complete_bash"} if env else {}
        subprocess.run([*command, *arguments], env=clean | extra, cwd=project.root, capture_output=True, check=True)

    program = Path(sys.executable).with_name("dataflow")
    # Both are started alike, by a script that imports one module: a script itself is never kept compiled.
    module = tmp_path / "emptyapp.py"
    module.write_text(EMPTY.replace('if __name__ == "__main__":\n    app', "def main():\n    app"))
    script = tmp_path / "empty"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(tmp_path)!r})\nfrom emptyapp import main\nmain()\n"
    )
    script.chmod(0o755)
    result = paired(lambda: call([str(program)], "DATAFLOW"), lambda: call([str(script)], "EMPTY"))
    tell(what, *result, budget)


def test_workflow_list_from_the_cache(project: Project) -> None:
    for number in range(10):
        add_workflow(project, f"flow{number}")
    program = str(Path(sys.executable).with_name("dataflow"))

    def call() -> None:
        subprocess.run([program, "workflow", "list", "--json"], cwd=project.root, capture_output=True, check=True)

    call()
    seconds = statistics.median(timed(call) for _ in range(9))
    print(f"\nworkflow list, 10 workflows, cached              {seconds:.3f} s  (budget 0.50)")
    (project.root / "workflows" / "flow1" / "config.yaml").write_text("version: 1\nrequires: []\n")
    print(f"workflow list, after one file changed            {timed(call):.3f} s")
