"""Programs that get the terminal for a time: the editor and the pager that the person has chosen."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from dataflow.system.process import interact


def editor() -> list[str]:
    """$VISUAL, else $EDITOR, else vi."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


def pager() -> list[str]:
    """$PAGER, else less."""
    return shlex.split(os.environ.get("PAGER") or "less")


def edit(path: Path) -> int:
    """Open a file in the editor. Raises MissingError PROGRAM_MISSING."""
    return interact([*editor(), str(path)])


def page(path: Path) -> int:
    """Open a file in the pager. Raises MissingError PROGRAM_MISSING."""
    return interact([*pager(), str(path)])
