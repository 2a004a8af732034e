"""Copies of files that cost nothing where the file system can share blocks."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import Literal

from dataflow.system.files import mapped_os_errors

Method = Literal["reflink", "copy"]
_FICLONE = 0x40049409  # linux/fs.h: share all blocks of another file; Btrfs, XFS, bcachefs and others can
_CHUNK = 1 << 22


def copy_file(source: Path, target: Path) -> Method:
    """Copy a file, durably; its blocks are shared where both lie on a file system that can.

    Raises:
        OperationFailedError: DISK_FULL, NOT_WRITABLE; nothing is left of `target`.
    """
    with mapped_os_errors(target):
        try:
            with source.open("rb") as there, target.open("wb") as copy:
                if _share(there.fileno(), copy.fileno()):
                    return "reflink"
                shutil.copyfileobj(there, copy, _CHUNK)
                copy.flush()
                os.fsync(copy.fileno())
                return "copy"
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _share(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True
