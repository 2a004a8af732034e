"""What workflows there are, quickly: importing them takes seconds, so the answer is kept until a file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow import __version__
from dataflow.config.keys import from_plain, to_plain
from dataflow.config.paths import ProjectPaths
from dataflow.errors import DataflowError, Place
from dataflow.models import Finding, WorkflowInfo
from dataflow.system.files import write_json
from dataflow.system.process import run

if TYPE_CHECKING:
    from dataflow.workflows.discovery import Discovery

_SUFFIXES = {".py", ".yaml", ".yml", ".sql", ".toml", ".json", ".csv"}
_EACH = 60.0  # seconds that importing a workflow may take: a dbt project is parsed first, on a busy machine slowly
_MARK = "\x1edataflow-catalogue\x1e"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every workflow that loads, and what is wrong with the others."""

    workflows: tuple[WorkflowInfo, ...]
    findings: tuple[Finding, ...]

    def find(self, name: str) -> WorkflowInfo | None:
        """The workflow of this name."""
        return next((item for item in self.workflows if item.name == name), None)


def catalogue(paths: ProjectPaths, environment: Mapping[str, str]) -> Catalogue:
    """The project's workflows: from the cache where no file changed, else by importing them in another process."""
    key = fingerprint(paths.workflows)
    cache = paths.run / "workflows.json"
    cached = _read_cache(cache, key)
    if cached:
        return cached
    found = _discover(paths, environment)
    _hand_over(paths.state)
    paths.run.mkdir(parents=True, exist_ok=True)
    write_json(cache, {"key": key, "catalogue": to_plain(found)})
    return found


def _hand_over(state: Path) -> None:
    """What root made of dbt projects goes to whom the state belongs: under Docker another user's containers go on."""
    dbt = state / "dbt"
    if os.getuid() or not dbt.is_dir() or not (owner := state.stat()).st_uid:
        return
    for path in (dbt, *dbt.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a run may tidy up meanwhile
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def kept(paths: ProjectPaths) -> Catalogue | None:
    """The workflows as they were last found, also where a file has changed since; None where nobody has looked yet."""
    try:
        kept = json.loads((paths.run / "workflows.json").read_text(encoding="utf-8"))["catalogue"]
        return from_plain(kept, Catalogue)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def fingerprint(root: Path) -> str:
    """A digest of the content of every file that decides what workflows there are."""
    from dataflow.workflows.discovery import folders

    total = hashlib.sha256(f"{__version__} {list(WorkflowInfo.__dataclass_fields__)}".encode())
    for folder in folders(root):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(root)
            if (
                path.suffix in _SUFFIXES
                and path.is_file()
                and "__pycache__" not in inside.parts
                and inside.parts[1]
                not in {"tests", "sample"}  # of the workflow; dbt/tests decides what checks there are
            ):
                total.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _read_cache(cache: Path, key: str) -> Catalogue | None:
    try:
        data: dict[str, Any] = json.loads(cache.read_text(encoding="utf-8"))
        return from_plain(data["catalogue"], Catalogue) if data["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _discover(paths: ProjectPaths, environment: Mapping[str, str]) -> Catalogue:
    """Import in a process of its own: users' code may do anything, even end the process."""
    from dataflow.workflows.discovery import folders

    if not folders(paths.workflows):
        return Catalogue((), ())
    found = _ask(paths.workflows, [], environment)
    if found:
        return found
    parts = {folder: _ask(paths.workflows, [folder.name], environment) for folder in folders(paths.workflows)}
    workflows = tuple(item for part in parts.values() if part for item in part.workflows)
    findings = [finding for part in parts.values() if part for finding in part.findings]
    for folder, part in parts.items():
        if part is None:
            message = f"{folder.name} ends the Python process while it is imported."
            findings.append(Finding("load-crashed", message, Place(folder / "dagster_job.py", 1)))
    return Catalogue(workflows, tuple(findings))


def _ask(root: Path, only: list[str], environment: Mapping[str, str]) -> Catalogue | None:
    from dataflow.workflows.discovery import folders

    command = [sys.executable, "-m", "dataflow.workflows.catalogue", str(root), *only]
    seconds = _EACH * (1 + len(only or folders(root)))
    done = run(command, env=environment, cwd=root.parent, timeout=seconds)
    _, mark, text = done.stdout.rpartition(_MARK)
    return from_plain(json.loads(text), Catalogue) if mark and done.code == 0 else None


def _write_schemas(found: Discovery, folder: Path) -> None:
    """What an editor that opens a workflow's config.yaml asks for; its first line says where."""
    from pydantic.errors import PydanticUserError

    from dataflow.workflows.manifest import FreeSettings, manifest_schema

    for name, registration in found.registered.items():
        with contextlib.suppress(DataflowError, PydanticUserError):  # a full disk; settings that have no JSON Schema
            write_json(folder / f"{name}.json", manifest_schema(registration.settings or FreeSettings))


def _main(root: str, only: list[str]) -> None:
    """Print the catalogue of `root`, behind a mark: users' code may print before it."""
    from dataflow.workflows.discovery import discover

    found = discover(Path(root), only)
    _write_schemas(found, ProjectPaths(Path(root).parent).schemas)
    plain = to_plain(Catalogue(tuple(item.info for item in found.workflows), found.findings))
    sys.stdout.write(_MARK + json.dumps(plain))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
