"""The platform's own overhead: up against its slowest service by hand, a run against bare Dagster, status."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.system.http import ask
from dataflow.system.ports import next_free
from tests.bench.test_bench_cli import timed
from tests.conftest import Project

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    root = tmp_path_factory.mktemp("bench")
    assert Project(root).call("init", "platform").code == 0
    project = Project(root / "platform")
    yield project
    project.call("down")


def test_up_against_the_slowest_service_started_by_hand(platform: Project) -> None:
    ours, theirs = [], []
    platform.call("up")
    platform.call("workflow", "run", "nightscout", timeout=300)  # parses dbt, so that nobody pays for it below
    for _ in range(3):
        platform.call("down")
        theirs.append(by_hand(platform))
        ours.append(timed(lambda: platform.call("up")))
    ratio = statistics.median(one / two for one, two in zip(ours, theirs, strict=True))
    print(
        f"\nup to healthy                                    {statistics.median(ours):.2f} s  "
        f"code server + web server by hand {statistics.median(theirs):.2f} s  ratio {ratio:.2f}  (budget 1.30)"
    )


def by_hand(platform: Project) -> float:
    """Seconds until a web server, with the code server it needs, has loaded the workflows; both started at once."""
    grpc, http = next_free(41000), next_free(42000)
    env = platform_environment(platform)
    workspace = platform.write(
        "hand.yaml", f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {grpc}, location_name: hand}}\n"
    )
    program = str(Path(sys.executable).with_name("dagster"))
    commands = [
        [program, "code-server", "start", "-m", "dataflow.dagster_repo", "-h", "127.0.0.1", "-p", str(grpc)],
        [f"{program}-webserver", "-h", "127.0.0.1", "-p", str(http), "-w", str(workspace)],
    ]
    query = {"query": "{workspaceOrError{... on Workspace{locationEntries{locationOrLoadError{__typename}}}}}"}
    began = time.perf_counter()
    processes = [
        subprocess.Popen(
            command,
            env=env,
            cwd=platform.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for command in commands
    ]
    try:
        while time.perf_counter() - began < 120:
            try:
                if "RepositoryLocation" in ask(f"http://127.0.0.1:{http}/graphql", body=query, timeout=5).text:
                    return time.perf_counter() - began
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("the web server by hand did not come up")
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize(("command", "budget"), [("status", 0.35), ("why", 1.5), ("doctor", 3.0)])
def test_a_question_on_a_running_platform(platform: Project, command: str, budget: float) -> None:
    platform.call("up")
    program = str(Path(sys.executable).with_name("dataflow"))

    def call() -> None:
        done = subprocess.run([program, command, "--json"], cwd=platform.root, capture_output=True)
        assert done.returncode in (0, 1), done.stderr

    call()
    seconds = statistics.median(timed(call) for _ in range(9))
    floor = statistics.median(
        timed(lambda: subprocess.run([program, "--version"], capture_output=True)) for _ in range(9)
    )
    print(
        f"\n{command + ' --json':<48} {seconds:.3f} s  of which start-up {floor:.3f} s  "
        f"ratio {seconds / floor:.2f}  (budget {budget:.2f})"
    )


def test_a_run_against_bare_dagster_in_process(platform: Project) -> None:
    """The same job with `dagster job execute`, in the same project, on the same data, in turn."""
    platform.call("up")
    env = platform_environment(platform)
    program = str(Path(sys.executable).with_name("dagster"))
    bare = [program, "job", "execute", "-m", "dataflow.dagster_repo", "-j", "nightscout"]

    def theirs() -> None:
        subprocess.run(bare, env=env, cwd=platform.root, capture_output=True, check=True)

    def ours() -> None:
        assert platform.call("workflow", "run", "nightscout", timeout=300).code == 0

    ours(), theirs()
    through = [(timed(ours), timed(theirs)) for _ in range(3)]
    platform.call("stop", "dagster-webserver")
    alone = [(timed(ours), timed(theirs)) for _ in range(3)]
    for what, pairs in (("through the running Dagster", through), ("in a process of its own", alone)):
        one, two = (statistics.median(values) for values in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"\nworkflow run, {what:<34} {one:.2f} s  bare Dagster {two:.2f} s  ratio {ratio:.2f}  (budget 1.15)")


def platform_environment(platform: Project) -> dict[str, str]:
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    import json

    return json.loads(platform.call("exec", "--", "python", "-c", code).out)
