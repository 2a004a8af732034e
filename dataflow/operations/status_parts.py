"""The parts of the status beside services, each read from something cheap. One that cannot be read says so.

Nothing here opens the warehouse, imports Dagster or workflow code, or asks a service for more than a second or two.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dataflow.clients.glance import AssetSeen, CheckSeen, DataSeen
from dataflow.engines.docker_checks import LITTLE, SCARCE
from dataflow.errors import DataflowError
from dataflow.models import FINISHED, Run, WorkflowInfo
from dataflow.operations import backup_format
from dataflow.operations.alerts import Alert, AlertList
from dataflow.operations.context import Context
from dataflow.workflows import workers
from dataflow.workflows.catalogue import kept
from dataflow.workflows.discovery import folders

Infos = tuple[WorkflowInfo, ...]


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """A workflow with its last run. `last_run` is None where it never ran, or where that is not known."""

    name: str
    last_run: Run | None


@dataclass(frozen=True, slots=True)
class DataStatus:
    """The warehouse file: bytes on disk, and when readers' snapshot was published."""

    path: Path
    bytes: int
    snapshot: datetime | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class StaleAsset:
    """An asset that was computed longer ago than its freshness policy allows, in seconds."""

    key: str
    computed: datetime
    allowed: float


@dataclass(frozen=True, slots=True)
class AssetsStatus:
    """Assets: how many there are, how many of them have a freshness policy, and which are stale."""

    known: int = 0
    judged: int = 0
    stale: tuple[StaleAsset, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ChecksStatus:
    """Checks that were carried out, and those that failed last; warnings are among them."""

    known: int = 0
    failing: tuple[CheckSeen, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DiskStatus:
    """The disk that the project's state lies on. `state`: below 3 GB it is scarce, below 500 MB nothing starts."""

    path: Path
    free: int = 0
    total: int = 0
    state: str = "unknown"
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """The newest backup, and how many there are."""

    newest: str | None = None
    created: datetime | None = None
    number: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class AlertsStatus:
    """Alerts by the rules: those that fire and nobody has acknowledged or silenced, and how many others there are.

    `evaluated` is False where nobody evaluates the rules now.
    """

    evaluated: bool = False
    open: tuple[Alert, ...] = ()
    handled: int = 0
    pending: int = 0
    trouble: str = ""


def infos_of(context: Context) -> Infos:
    """What is known of the workflows without reading their code: as it was when somebody last did."""
    found = kept(context.paths)
    return found.workflows if found else ()


def workflows_of(context: Context, infos: Infos, runs: Iterable[Run]) -> tuple[WorkflowStatus, ...]:
    """Every workflow that is in its folder or ever ran."""
    last = {run.workflow: _seen_through(context, run) for run in runs}
    return tuple(WorkflowStatus(name, last.get(name)) for name in sorted(own_workflows(context, infos) | set(last)))


def own_workflows(context: Context, infos: Infos) -> set[str]:
    """The workflows that are in their folders: by their names where those are known, else by their folders'."""
    there = set(folders(context.paths.workflows))
    known = [info for info in infos if info.folder in there]
    return {info.name for info in known} | {folder.name for folder in there - {info.folder for info in known}}


def assets_of(infos: Infos, seen: DataSeen) -> AssetsStatus:
    """Which assets are older than they may be. What the code no longer has does not count."""
    limits = {key: seconds for info in infos for key, seconds in info.freshness.items()}
    there = _still_there([asset.key for asset in seen.assets], [key for info in infos for key in info.assets])
    assets = [asset for asset in seen.assets if asset.key in there]
    stale = sorted(_stale(assets, limits), key=lambda asset: asset.computed)
    return AssetsStatus(len(assets), sum(asset.key in limits for asset in assets), tuple(stale))


def checks_of(infos: Infos, seen: DataSeen) -> ChecksStatus:
    """Which checks failed last, errors first."""
    named = {f"{check.asset}:{check.name}": check for check in seen.checks}
    there = _still_there(named, [name for info in infos for name in info.checks])
    failing = [check for name, check in named.items() if name in there and not check.passed]
    return ChecksStatus(len(there), tuple(sorted(failing, key=lambda check: (check.severity, check.asset, check.name))))


def alerts_of(found: AlertList | None) -> AlertsStatus:
    """What needs somebody, and how much somebody has seen already."""
    if found is None:
        return AlertsStatus()
    states = Counter(alert.state for alert in found.alerts)
    return AlertsStatus(True, found.open, states["acknowledged"] + states["silenced"], states["pending"])


def disk_of(context: Context) -> DiskStatus:
    """Room on the project's disk."""
    path = context.paths.root
    try:
        usage = shutil.disk_usage(path)
    except OSError as error:
        return DiskStatus(path, trouble=f"The disk cannot be asked: {error.strerror}.")
    state = "full" if usage.free < LITTLE else "scarce" if usage.free < SCARCE else "good"
    return DiskStatus(path, usage.free, usage.total, state)


def backup_of(context: Context) -> BackupStatus:
    """The newest backup; its folder's name begins with its time."""
    try:
        found = sorted(file.parent for file in context.paths.backups.glob(f"[!.]*/{backup_format.MANIFEST}"))
        if not found:
            return BackupStatus()
        backup = backup_format.read(found[-1])
    except (OSError, DataflowError) as error:
        message = error.message if isinstance(error, DataflowError) else f"Backups cannot be read: {error.strerror}."
        return BackupStatus(trouble=message)
    return BackupStatus(backup.id, backup.created, len(found))


def warehouse_of(context: Context) -> DataStatus:
    """The file as it lies there; it is not opened."""
    from dataflow.shared import snapshot

    path = context.warehouse
    try:
        published = snapshot.current(path)
        return DataStatus(path, path.stat().st_size if path.exists() else 0, published.as_of if published else None)
    except (OSError, DataflowError) as error:
        message = error.message if isinstance(error, DataflowError) else f"It cannot be read: {error.strerror}."
        return DataStatus(path, 0, None, message)


def _still_there(seen: Iterable[str], known: list[str]) -> set[str]:
    """Those of `seen` that the code has; all where nobody has read the code yet."""
    return set(seen) & set(known) if known else set(seen)


def _stale(assets: Iterable[AssetSeen], limits: Mapping[str, float]) -> Iterable[StaleAsset]:
    now = datetime.now(UTC)
    for asset in assets:
        limit = limits.get(asset.key)
        if limit and asset.computed and (now - asset.computed).total_seconds() > limit:
            yield StaleAsset(asset.key, asset.computed, limit)


def _seen_through(context: Context, run: Run) -> Run:
    """A run that goes on by its history, and whose process is gone, has ended."""
    if run.state in FINISHED or not context.has_files:
        return run
    worker = workers.find(context.paths, run.id)
    if worker is None or worker.alive:
        return run
    return replace(run, state="canceled" if worker.interrupted else "failure")
