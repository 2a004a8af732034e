"""Images of our own: named by a digest of what goes into them, so that equal sources are never built twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from dataflow import __version__
from dataflow.config import assets
from dataflow.config.paths import ProjectPaths

TOOLKIT = "dataflow-toolkit"
BAKED = "dataflow-baked"
_PACKAGE = Path(__file__).parents[1]
_LEFT_OUT = {"__pycache__", "_bundled", "target", "logs", "dbt_packages"}


def toolkit_image(paths: ProjectPaths) -> str:
    """The image that runs our Python, with what `workflows/requirements.txt` adds."""
    folder = assets.path("compose") / "services" / "dagster-code"
    parts = {name: folder / name for name in ("Dockerfile", "requirements.txt", "healthy.py")}
    parts |= {"workflows": paths.workflows / "requirements.txt", **_tree(_PACKAGE)}
    return f"{TOOLKIT}:{__version__}-{_digest(parts)}"


def baked_image(paths: ProjectPaths, toolkit: str) -> str:
    """The same with the project's workflows inside."""
    return f"{BAKED}:{paths.stack_id}-{_digest(_tree(paths.workflows), toolkit)}"


def build_command(paths: ProjectPaths, image: str, *, fresh: bool) -> list[str]:
    """The call of BuildKit that makes one of our images; `fresh` also fetches a newer base."""
    folder = assets.path("compose") / "services" / "dagster-code"
    contexts = {"image": folder, "workflows": paths.workflows}
    return [
        "docker",
        "build",
        "--progress=plain",
        *(["--pull"] if fresh else []),
        f"--target={'baked' if image.startswith(BAKED) else 'mounted'}",
        f"--tag={image}",
        f"--file={folder / 'Dockerfile'}",
        *(f"--build-context={name}={place}" for name, place in contexts.items()),
        str(_PACKAGE.parent),
    ]


def _tree(folder: Path) -> dict[str, Path]:
    """The files below a folder by their names in it, but for what programs generate there."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    return {name: path for name, path in found.items() if _LEFT_OUT.isdisjoint(Path(name).parts)}


def _digest(files: Mapping[str, Path], salt: str = "") -> str:
    total = hashlib.sha256(salt.encode())
    for name, file in sorted(files.items()):
        if file.is_file():
            total.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()[:12]
