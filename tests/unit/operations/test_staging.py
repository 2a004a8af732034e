"""A restore that is cut off while it turns: whoever comes next finishes it, wherever the cut was."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from dataflow.config.paths import ProjectPaths
from dataflow.engines import stack
from dataflow.events import Event, Noted
from dataflow.operations.context import Context
from dataflow.operations.staging import recover, stage


class Cut(BaseException):
    """The power goes."""


@pytest.fixture
def project(tmp_path: Path) -> ProjectPaths:
    paths = ProjectPaths(tmp_path)
    paths.config.write_text("")
    paths.restoring.mkdir(parents=True)
    moves: list[list[str | None]] = []
    for name in ("one", "two"):
        (paths.state / name).mkdir()
        (paths.state / name / "old").touch()
        (paths.restoring / name).mkdir()
        (paths.restoring / name / "new").touch()
        moves.append([str(paths.restoring / name), str(paths.state / name)])
    gone = paths.state / "gone"
    gone.touch()
    moves.append([None, str(gone)])
    (paths.restoring / "journal.json").write_text(json.dumps({"moves": moves}))
    return paths


@pytest.mark.parametrize("renames", range(6))
def test_a_journal_is_finished_after_a_cut_at_any_move(
    project: ProjectPaths, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    context = Context(project, {"engine": "native"})
    real, left = Path.rename, [renames]

    def rename(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise Cut
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with contextlib.suppress(Cut):
            recover(context, lambda event: None)
    recover(context, lambda event: None)
    for name in ("one", "two"):
        assert [file.name for file in (project.state / name).iterdir()] == ["new"]
    assert not (project.state / "gone").exists()
    assert not project.restoring.exists()


def test_without_a_journal_the_state_before_stays(project: ProjectPaths) -> None:
    (project.restoring / "journal.json").unlink()
    told: list[Event] = []
    recover(Context(project, {"engine": "native"}), told.append)
    assert [event.message for event in told if isinstance(event, Noted)] == [
        "A restore was cut off before it was ready: the state before it stays."
    ]
    assert (project.state / "one" / "old").exists()
    assert not project.restoring.exists()


@pytest.fixture
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")


@pytest.mark.usefixtures("no_docker")
def test_a_native_restore_that_was_cut_off_needs_no_docker(project: ProjectPaths) -> None:
    context = Context(project, {"engine": "native"})
    stage(context, "native")
    recover(context, lambda event: None)
    assert not project.restoring.exists()


@pytest.mark.usefixtures("no_docker")
def test_what_lies_in_docker_waits_for_docker_and_holds_nothing_up(project: ProjectPaths) -> None:
    context = Context(project, {"engine": "native"})
    stage(context, "docker")
    told: list[Event] = []
    recover(context, told.append)
    assert [event.message for event in told if isinstance(event, Noted)][1:] == [
        "Its unfinished Docker volumes are removed once the Docker Engine answers."
    ]
    assert stack.load(project.restoring / "stack.json").engine == "docker"
