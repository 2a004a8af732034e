"""A real Docker Engine: one whole platform that tests leave as they found it, and small projects to break.

Small projects have services of their own on busybox, each beside a shipped `common.yaml`, and bring nothing else up.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dataflow.config.paths import ProjectPaths
from tests.conftest import Project

IMAGE = "busybox:1.37"
READY = "test -f /tmp/ready"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", autouse=True)
def engine(request: pytest.FixtureRequest) -> None:
    """Skip with the reason, or fail where an engine is required."""
    reason = _missing()
    if reason and request.config.getoption("--require-engine"):
        pytest.fail(f"--require-engine, and {reason}")
    if reason:
        pytest.skip(reason)


def _missing() -> str:
    if shutil.which("docker") is None:
        return "there is no docker command"
    for command, what in (
        (["docker", "info"], "no Docker Engine answers"),
        (["docker", "compose", "version"], "no Compose"),
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return what
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
        return f"the image {IMAGE} is not here"
    return ""


def docker(*arguments: str, check: bool = True, **env: str) -> str:
    """What `docker …` prints."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, env={**os.environ, **env}, timeout=120
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def inspect(name: str) -> dict[str, Any]:
    return json.loads(docker("inspect", name))[0]


def compose_name(project: Project) -> str:
    """The Compose project of a small project, or of one that has been up."""
    stack = ProjectPaths(project.root).stack_id[:8]
    return f"{project.root.name}-{stack}"


def container(project: Project, service: str) -> str:
    return f"{compose_name(project)}-{service}-1"


def containers(project: Project) -> dict[str, str]:
    """Service -> state of every container of a project, as Docker itself tells."""
    lines = docker(
        "ps", "-a", "--filter", f"label=com.docker.compose.project={compose_name(project)}",
        "--format", '{{.Label "com.docker.compose.service"}} {{.State}}',
    ).splitlines()  # fmt: skip
    return dict(line.split(" ", 1) for line in lines)


def eventually(check: Callable[[], bool], timeout: float, what: str) -> None:
    deadline = time.monotonic() + timeout
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.1)


def add(
    project: Project,
    name: str,
    *,
    command: str = "sleep infinity",
    port: int | None = None,
    health: str | None = READY,
    extra: str = "",
    block: str = "",
    image: str = IMAGE,
) -> None:
    """A service of the project's own. `health` is a shell command; the file /tmp/ready is made by most."""
    variable = f"DATAFLOW_SERVICES_{name.upper().replace('-', '_')}_PORT"
    ports = f'    ports: ["127.0.0.1:${{{variable}:-{port}}}:80"]\n' if port else ""
    check = (
        f"    healthcheck:\n      test: [CMD-SHELL, {json.dumps(health)}]\n"
        "      interval: 1s\n      timeout: 2s\n      retries: 3\n      start_period: 1s\n      start_interval: 200ms\n"
        if health
        else ""
    )
    known = f"  ports: {{http: {port}}}\n" if port else ""
    project.write(
        f"compose/services/{name}/compose.yaml",
        f"x-dataflow:\n  label: {name}\n  group: application\n{known}{block}"
        f"services:\n  {name}:\n    image: {image}\n    init: true\n    command: [sh, -c, {json.dumps(command)}]\n"
        f"{ports}{check}{extra}",
    )


ONLY_OWN = "\n".join(
    f"[services.{name}]\nenabled = false"
    for name in ("object-store", "bucket-init", "postgres", "dagster-migrate", "dagster-code", "dagster-daemon",
                 "dagster-webserver")
)  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Project]:
    """A project without any shipped service; what is left of it is removed in the end."""
    yield from _small(tmp_path / "small")


def _small(root: Path) -> Iterator[Project]:
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text(f"{ONLY_OWN}\n")
    project = Project(root, engine="docker")
    yield project
    project.call("down")
    remove(project)


def remove(project: Project) -> None:
    """Whatever a broken test left behind, by this project's label alone."""
    label = f"label=com.docker.compose.project={compose_name(project)}"
    for kind, listing in (
        ("rm", ["ps", "-aq"]),
        ("volume rm", ["volume", "ls", "-q"]),
        ("network rm", ["network", "ls", "-q"]),
    ):
        found = docker(*listing, "--filter", label, check=False).split()
        if found:
            docker(*kind.split(), "-f", *found, check=False)


@pytest.fixture(scope="module")  # fifteen idle containers would slow down every test after it
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The whole platform with every profile, up, and the example run once. Tests that use it leave it up."""
    root = tmp_path_factory.mktemp("docker") / "whole"
    project = Project(root.parent, engine="docker")
    assert project.call("init", "whole").code == 0
    project = replace(project, root=root)
    try:
        called = project.call("up", "--profile", "all", "--timeout", "300", timeout=900)
        assert called.code == 0, called.err
        ran = project.call("workflow", "run", "nightscout", timeout=400)
        assert ran.code == 0, ran.err
        yield project
    finally:
        project.call("down", "--volumes", "--yes", "--no-snapshot", timeout=400)
        remove(project)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Project]:
    """A project of which Postgres alone is up."""
    root = tmp_path / "stored"
    (root / "workflows").mkdir(parents=True)
    (root / "dataflow.toml").write_text("")
    project = Project(root, engine="docker")
    assert project.call("up", "postgres").code == 0
    yield project
    project.call("down")
    remove(project)


def services(project: Project) -> dict[str, dict[str, Any]]:
    """Every service of `dataflow status`, by name."""
    return {item["name"]: item for item in project.call("status", "--json").data["services"]}


@dataclass
class Daemon:
    """A Docker Engine of a test's own, with nothing but busybox."""

    folder: Path
    hidden: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> None:
        options = [
            f"--host={self.host}", f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/docker.pid",
        ]  # fmt: skip
        # A network of its own: two engines would take each other's bridge away.
        first = f"mount -t tmpfs tmpfs {self.hidden}" if self.hidden else "true"  # a machine that lacks these files
        dockerd = ["unshare", "--net", "--mount", "sh", "-c", f'{first} && exec "$@"', "sh", "dockerd", *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                dockerd, stdout=log, stderr=log, start_new_session=True, env={**os.environ, "PATH": _engine_path()}
            )
        answers = lambda: not subprocess.run(["docker", "-H", self.host, "info"], capture_output=True).returncode  # noqa: E731
        eventually(answers, 30, f"the engine of the test answers, see {self.folder}/log")
        saved = subprocess.run(["docker", "save", IMAGE], capture_output=True, check=True).stdout
        subprocess.run(["docker", "-H", self.host, "load"], input=saved, capture_output=True, check=True)

    def kill(self) -> None:
        if self.process:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            (self.folder / "docker.pid").unlink(missing_ok=True)

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        for line in Path("/proc/mounts").read_text().splitlines():
            if (place := line.split()[1]).startswith(str(self.folder)):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _engine_path() -> str:
    """Where the engine that runs here finds its programs: they may not be on our own PATH."""
    for process in Path("/proc").glob("[0-9]*/comm"):
        try:
            if process.read_text().strip() == "dockerd":
                pairs = process.with_name("environ").read_bytes().split(b"\0")
                return next(pair[5:].decode() for pair in pairs if pair.startswith(b"PATH="))
        except (OSError, StopIteration):
            continue
    return os.environ["PATH"]


@pytest.fixture
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Daemon]]:
    """Makes another engine on this machine, where we may."""
    made: list[Daemon] = []

    def make(hidden: Path | None = None) -> Daemon:
        if os.getuid() or not shutil.which("dockerd", path=_engine_path()):
            pytest.skip("a second engine needs dockerd and the superuser")
        folder = Path("/run") / f"dataflow-test-{os.getpid()}-{len(made)}"
        folder.mkdir()
        made.append(Daemon(folder, hidden))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.remove()
