from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataflow.errors import MissingError, OperationFailedError
from dataflow.system import process

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def test_run_returns_what_was_printed_and_the_code() -> None:
    done = process.run([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_missing_program_and_a_timeout_are_errors_for_people() -> None:
    with pytest.raises(MissingError) as missing:
        process.run(["no-such-program"])
    assert missing.value.code == "PROGRAM_MISSING"
    with pytest.raises(OperationFailedError) as late:
        process.run(SLEEP, timeout=0.2)
    assert late.value.code == "TIMEOUT"


def test_programs_beside_our_python_come_first() -> None:
    assert process.find_program("supervisord") == str(Path(sys.executable).parent / "supervisord")
    assert process.find_program("no-such-program") is None
    with pytest.raises(MissingError):
        process.program_beside("no-such-program")


def test_a_background_process_has_a_session_of_its_own_and_restored_signals(tmp_path: Path) -> None:
    code = "import os, signal as s; print(os.getsid(0) == os.getpid(), s.getsignal(s.SIGINT) is s.SIG_IGN, flush=True)"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell's background job
    try:
        pid = process.spawn([sys.executable, "-c", code], env=dict(os.environ), cwd=tmp_path, log=tmp_path / "log")
    finally:
        signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 10
    while process.is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "log").read_text() == "True False\n"


def test_marked_processes_are_found_with_their_descendants_and_ended(tmp_path: Path) -> None:
    env = {**os.environ, "TEST_MARKER": str(tmp_path)}
    code = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:], start_new_session=True); time.sleep(60)"
    pid = process.spawn([sys.executable, "-c", code, *SLEEP], env=env, cwd=tmp_path, log=tmp_path / "log")
    deadline = time.monotonic() + 10
    while len(process.marked("TEST_MARKER", str(tmp_path))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert pid in process.marked("TEST_MARKER", str(tmp_path))
    assert process.has_variable(pid, "TEST_MARKER")
    assert (process.memory_of(pid) or 0) > 1_000_000
    assert process.end(process.marked("TEST_MARKER", str(tmp_path)), grace=5) == []
    assert process.marked("TEST_MARKER", str(tmp_path)) == []


def test_who_does_not_end_when_asked_is_killed_and_counted() -> None:
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        assert process.end([child.pid], grace=0.3) == [child.pid]


def test_a_process_that_ended_is_not_alive() -> None:
    with subprocess.Popen(SLEEP) as child:
        assert process.is_alive(child.pid)
        child.kill()
        child.wait()
        assert not process.is_alive(child.pid)
    assert process.memory_of(2**22 + 1) is None


def test_interact_hands_the_terminal_over_and_returns_the_code() -> None:
    assert process.interact(["sh", "-c", "exit 4"]) == 4
