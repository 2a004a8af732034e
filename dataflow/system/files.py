"""Files that survive crashes: atomic writes, JSON that may be corrupt, locks between processes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from dataflow.errors import Action, DataflowError, MissingError, OperationFailedError
from dataflow.events import Noted, Report
from dataflow.system.waiting import wait_until


def write_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write the whole file or nothing, durably. Raises OperationFailedError DISK_FULL or NOT_WRITABLE."""
    with mapped_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def write_json(path: Path, data: object, *, mode: int = 0o644) -> None:
    """Write `data` as JSON, the whole file or nothing."""
    write_text(path, json.dumps(data, indent=2, sort_keys=True, default=str) + "\n", mode=mode)


def read_state(path: Path, report: Report) -> dict[str, Any]:
    """The JSON mapping in a state file; empty where there is none. A corrupt file is kept aside and reported."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (json.JSONDecodeError, UnicodeDecodeError):
        data = None
    except OSError as error:
        raise os_error(error, path) from error
    if isinstance(data, dict):
        return data
    aside = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    path.replace(aside)
    report(Noted(f"{path.name} was corrupt: kept as {aside.name} and made anew.", warning=True))
    return {}


@contextlib.contextmanager
def mapped_os_errors(path: Path) -> Generator[None]:
    """Turn the operating system's refusals about `path` into errors for people."""
    try:
        yield
    except OSError as error:
        raise os_error(error, path) from error


def os_error(error: OSError, path: Path) -> DataflowError:
    """The most telling error for what the operating system said."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        message = f"The disk is full: {path} could not be written."
        actions = (Action("See what takes the space", f"du -sh {path.parent}/*"),)
        return OperationFailedError(message, code="DISK_FULL", actions=actions, retryable=True)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        message = f"{path} cannot be written: {error.strerror}."
        hint = "The folder is read-only or belongs to somebody else."
        return OperationFailedError(message, code="NOT_WRITABLE", hint=hint)
    return OperationFailedError(f"{path}: {error.strerror or error}.", code="FILE_FAILED")


@contextlib.contextmanager
def exclusive(path: Path, *, what: str, wait: float = 0.0) -> Generator[None]:
    """Hold the lock file `path` while changing `what`; another holder is waited for up to `wait` seconds.

    Raises:
        MissingError: BUSY, naming who holds it.
    """
    with mapped_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    with file:
        held, _ = wait_until(lambda: _try_lock(file), bool, timeout=wait, interval=0.05)
        if not held:
            file.seek(0)
            holder = file.read().strip() or "another process"
            hint = "Wait until it is done, then try again."
            raise MissingError(f"{what} is being changed by {holder}.", code="BUSY", hint=hint, retryable=True)
        with contextlib.suppress(OSError):  # the holder's name is a courtesy; on a full disk the work says so itself
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), f"process {os.getpid()}".encode(), 0)
        yield


def hold(path: Path) -> IO[str]:
    """Lock `path`, made where it is missing, for as long as the returned file or a copy of it in a child is open."""
    with mapped_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def is_held(path: Path) -> bool:
    """Whether somebody holds `path`: any process of this kernel, also one in a container that has the file mounted."""
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
