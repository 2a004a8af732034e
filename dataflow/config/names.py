"""Names for completion, from folders alone: a Tab key must not wait for imports."""

from __future__ import annotations

from pathlib import Path

from dataflow.config import assets
from dataflow.config.paths import ProjectPaths, find_project
from dataflow.errors import DataflowError

# Folders that stand for a service of another name: reading their files would take longer than a Tab may.
_ALIASES = {"seaweedfs": "object-store", "minio": "object-store", "alloy": "log-collector", "promtail": "log-collector"}


def services(incomplete: str = "") -> list[str]:
    """Services whose names begin so."""
    paths = _project()
    roots = [assets.path("compose") / "services", *([paths.services] if paths else [])]
    found = {file.parent.name for root in roots for file in root.glob("*/compose.yaml")}
    return _begin({_ALIASES.get(name, name) for name in found}, incomplete)


def workflows(incomplete: str = "") -> list[str]:
    """Workflows whose folders begin so."""
    paths = _project()
    return _begin(
        {file.parent.name for file in paths.workflows.glob("*/dagster_job.py")} if paths else set(), incomplete
    )


def templates(incomplete: str = "") -> list[str]:
    """Templates whose names begin so."""
    root = Path(__file__).parents[1] / "workflows" / "templates"
    return _begin({file.parent.name for file in root.glob("*/template.toml")}, incomplete)


def runs(incomplete: str = "") -> list[str]:
    """The newest runs' short ids that begin so."""
    paths = _project()
    if paths is None:
        return []
    newest = sorted(paths.run_logs.glob("*.jsonl"), key=lambda file: file.stat().st_mtime, reverse=True)[:50]
    return [name for name in ["last", *(file.stem[:8] for file in newest)] if name.startswith(incomplete)]


def subjects(incomplete: str = "") -> list[str]:
    """What `why` may be asked about: services and workflows, and runs once two characters are typed."""
    found = services(incomplete) + workflows(incomplete)
    return found + (runs(incomplete) if len(incomplete) > 1 else [])


def backups(incomplete: str = "") -> list[str]:
    """Backups whose ids begin so."""
    paths = _project()
    return _begin(
        {"last", *(file.parent.name for file in paths.backups.glob("*/manifest.json"))} if paths else set(), incomplete
    )


def warehouses(incomplete: str = "") -> list[str]:
    """Warehouses that can be compared: the live one, its snapshot, branches and backups."""
    return _begin({"live", "snapshot", *branches(), *backups()}, incomplete)


def branches(incomplete: str = "") -> list[str]:
    """Branches of the warehouse whose names begin so."""
    from urllib.parse import unquote

    paths = _project()
    found = paths.state.glob("branches/*/branch.json") if paths else ()
    return _begin({unquote(file.parent.name) for file in found}, incomplete)


def _project() -> ProjectPaths | None:
    try:
        return find_project(Path.cwd())
    except DataflowError:
        return None


def _begin(names: set[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
