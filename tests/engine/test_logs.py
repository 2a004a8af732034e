"""The same lines in a container's log and in a native service's file: the same answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.engine.conftest import add

QUESTIONS = (
    (),
    ("--tail", "2"),
    ("--grep", "refused"),
    ("--grep", "REFUSED", "-i"),
    ("--grep", "rows=3"),
    ("--level", "error"),
    ("--exclude", "refused", "--level", "warn"),
    ("--grep", "refused", "--context", "1"),
    ("--since", "2026-11-24T10:00:02Z", "--until", "2026-11-24T10:00:05Z"),
    ("--grep", "ValueError"),
)


def lines() -> str:
    def entry(second: int, message: str, level: str, **more: object) -> str:
        time = f"2026-11-24T10:00:{second:02}+00:00"
        return json.dumps({"timestamp": time, "level": level, "message": message, **more})

    trace = 'Traceback (most recent call last):\n  File "a.py", line 1\n    f()\nValueError: no such key'
    return "\n".join(
        [
            entry(1, "first", "info"), entry(2, "connection refused", "error"), entry(3, "loaded", "info", rows=3),
            entry(4, "slow", "warning"), 'level=error ts=2026-11-24T10:00:05Z msg="no space"',
            entry(6, "refused again", "debug"), trace, "",
        ]
    )  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_docker_and_native_give_the_same_answers(talking: tuple[Project, Project], question: tuple[str, ...]) -> None:
    found = [project.call("logs", "talker", *question, "--json") for project in talking]
    assert [called.code for called in found] == [0, 0], found
    docker, native = ([(line["level"], line["raw"]) for line in called.data["lines"]] for called in found)
    assert docker == native
    assert docker, "every question finds something"


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory):
    """A container that has written the lines, and a native service whose file has them."""
    from tests.engine.conftest import _small  # pyright: ignore[reportPrivateUsage]

    folder = tmp_path_factory.mktemp("logs")
    made = _small(folder / "small")
    docker = next(made)
    file = docker.write("lines.txt", lines())
    add(
        docker, "talker", command="cat /lines.txt; touch /tmp/ready; sleep infinity",
        extra=f"    volumes: [{json.dumps(f'{file}:/lines.txt:ro')}]\n",
    )  # fmt: skip
    assert docker.call("up").code == 0
    native = Project(folder / "native")
    native.write("dataflow.toml", "")
    native.write(
        "compose/services/talker/compose.yaml", Path(docker.root / "compose/services/talker/compose.yaml").read_text()
    )
    native.write(".dataflow/logs/talker.jsonl", lines())
    yield docker, native
    next(made, None)
