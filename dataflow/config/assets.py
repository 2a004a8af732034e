"""The files we ship beside the code: Compose services and example workflows."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent.parent


def path(name: str) -> Path:
    """The shipped folder `name`: inside the package when installed, at the repository's root in a checkout."""
    bundled = _PACKAGE / "_bundled" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name
