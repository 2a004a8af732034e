from __future__ import annotations

import errno
import multiprocessing
import stat
import subprocess
from pathlib import Path

import pytest

from dataflow.errors import MissingError, OperationFailedError
from dataflow.events import Event, Noted
from dataflow.system.files import exclusive, hold, is_held, os_error, read_state, write_json, write_text


def test_a_file_is_written_whole_with_its_mode_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "secret"
    write_text(path, "one", mode=0o600)
    write_text(path, "two", mode=0o600)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["secret"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "DISK_FULL"),
        (errno.EROFS, "NOT_WRITABLE"),
        (errno.EACCES, "NOT_WRITABLE"),
        (errno.EIO, "FILE_FAILED"),
    ],
)
def test_what_the_system_refuses_is_named(number: int, code: str) -> None:
    error = os_error(OSError(number, "words"), Path("/some/file"))
    assert error.code == code
    assert "/some/file" in error.message


def test_writing_where_a_file_is_in_the_way_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationFailedError):
        write_text(tmp_path / "file" / "inside", "x")


def test_state_that_is_not_a_mapping_is_kept_aside(tmp_path: Path) -> None:
    seen: list[Event] = []
    path = tmp_path / "state.json"
    assert read_state(path, seen.append) == {}
    write_json(path, {"a": 1})
    assert read_state(path, seen.append) == {"a": 1}
    path.write_bytes(b"\xff\xfe")
    assert read_state(path, seen.append) == {}
    (note,) = seen
    assert isinstance(note, Noted)
    assert note.warning
    assert list(tmp_path.glob("state.json.corrupt-*"))


def _hold(path: Path, held: multiprocessing.synchronize.Event, go: multiprocessing.synchronize.Event) -> None:
    with exclusive(path, what="It"):
        held.set()
        go.wait(20)


def test_a_lock_names_its_holder_and_can_be_waited_for(tmp_path: Path) -> None:
    held, go = multiprocessing.Event(), multiprocessing.Event()
    other = multiprocessing.Process(target=_hold, args=(tmp_path / "lock", held, go))
    other.start()
    try:
        assert held.wait(20)
        with (
            pytest.raises(MissingError, match=f"process {other.pid}") as caught,
            exclusive(tmp_path / "lock", what="It"),
        ):
            pass
        assert caught.value.code == "BUSY"
        go.set()
        with exclusive(tmp_path / "lock", what="It", wait=10):
            pass
    finally:
        go.set()
        other.join()


def test_a_file_is_held_as_long_as_a_child_has_it(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    assert not is_held(lock)
    with hold(lock) as file:
        child = subprocess.Popen(["sleep", "60"], pass_fds=[file.fileno()])
    with child:
        assert is_held(lock)
        child.kill()
        child.wait()
    assert not is_held(lock)
