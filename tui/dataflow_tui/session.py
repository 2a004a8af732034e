"""What the dashboard remembers between two starts: the view, the theme, and what was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataflow.errors import DataflowError
from dataflow.events import ignore
from dataflow.system.files import read_state, write_json


def load(path: Path | None) -> dict[str, Any]:
    """What was kept; nothing where there is no file, or one that cannot be read."""
    if path is None or not path.exists():
        return {}
    try:
        return read_state(path, ignore)
    except (DataflowError, OSError, ValueError):
        return {}


def save(path: Path | None, kept: Mapping[str, Any]) -> None:
    """Keep it. A folder that cannot be written must not keep anybody from leaving."""
    if path is not None:
        with contextlib.suppress(DataflowError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, dict(kept))
