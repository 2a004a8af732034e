"""Everything that helps somebody else to see what is wrong, in one file without a secret."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dataflow import __version__
from dataflow.errors import DataflowError, UsageError
from dataflow.events import Report, StepChanged
from dataflow.operations.checks.subject import Subject
from dataflow.operations.context import Context
from dataflow.operations.known_secrets import known_secrets
from dataflow.operations.support_parts import PARTS, Files, shortened
from dataflow.shared.redaction import Redactor
from dataflow.system.files import mapped_os_errors

_OWNER_ONLY = 0o600
_README = """\
Support bundle of DATAFLOW {version}, made {now}.

Values from .env, secrets of the environment, passwords in URLs and what looks like a secret are replaced by ***.
Look through it before you give it away: names of tables, files and people are still in it.
"""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part that could not be had, and why."""

    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file that was written, its size in bytes, what is in it, and what could not be had."""

    path: Path
    bytes: int
    files: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def support(context: Context, folder: Path, report: Report) -> Bundle:
    """Write a bundle into `folder`, readable by its owner only. Works whatever is broken, and says in it what is.

    Raises:
        UsageError: FOLDER_MISSING.
        ConfigurationError: FILE_UNREADABLE; .env cannot be read, so nobody knows what is secret.
        OperationFailedError: NOT_WRITABLE, DISK_FULL.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", code="FOLDER_MISSING")
    redactor = Redactor(known_secrets(context.paths))
    subject = Subject(context)
    texts: dict[str, str] = {}
    left_out: list[LeftOut] = []
    for part, collect in PARTS.items():
        report(StepChanged(part, "started"))
        reason = _collect(collect(subject), redactor, texts)
        report(StepChanged(part, "skipped" if reason else "done", reason))
        left_out += [LeftOut(part, reason)] if reason else []
    now = datetime.now(UTC)
    texts["README.txt"] = _readme(now, left_out)
    path = folder / f"dataflow-support-{context.paths.stack_id[:8]}-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    written = _write(path, texts)
    return Bundle(path, written, tuple(sorted(texts)), tuple(left_out))


def _collect(files: Files, redactor: Redactor, texts: dict[str, str]) -> str:
    """Add a part's files, redacted; the reason where it ends early, else nothing."""
    try:
        for name, content in files:
            text = redactor.text(content) if isinstance(content, str) else _json(content, redactor)
            texts[redactor.known(name)] = shortened(text) if isinstance(content, str) else text
    except DataflowError as error:
        return redactor.text(error.message)
    except OSError as error:
        return redactor.text(error.strerror or str(error))
    return ""


def _json(content: Any, redactor: Redactor) -> str:
    """Data as JSON: redacted before it is written, where a text is still whole, and once more as it is written."""
    from pydantic import TypeAdapter

    plain = TypeAdapter[Any](Any).dump_python(content, mode="json")
    return redactor.known(json.dumps(redactor.data(plain), indent=2, ensure_ascii=False) + "\n")


def _readme(now: datetime, left_out: list[LeftOut]) -> str:
    head = _README.format(version=__version__, now=f"{now:%Y-%m-%d %H:%M} UTC")
    missing = "".join(f"- {one.part}: {one.reason}\n" for one in left_out)
    return f"{head}\nNot in it:\n{missing}" if missing else head


def _write(path: Path, texts: dict[str, str]) -> int:
    """The archive, which tells nothing of who packed it; its size."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as tar:
        for info, data in _members(path.name.removesuffix(".tar.gz"), texts):
            tar.addfile(info, io.BytesIO(data))
    with mapped_os_errors(path):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            return file.write(packed.getvalue())


def _members(top: str, texts: dict[str, str]) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for name, text in sorted(texts.items()):
        data = text.encode("utf-8", errors="replace")
        info = tarfile.TarInfo(f"{top}/{name}")
        info.size, info.mode = len(data), _OWNER_ONLY
        yield info, data
