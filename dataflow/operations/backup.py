"""Back the whole platform up as one unit: warehouse, objects, run history, databases, configuration and pins."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dataflow import __version__
from dataflow.engines import stack
from dataflow.engines.native_upgrader import installed
from dataflow.errors import Action, ConfigurationError, UsageError
from dataflow.events import Report
from dataflow.operations import backup_format
from dataflow.operations.audit import audited
from dataflow.operations.backup_format import Backup
from dataflow.operations.backup_save import Saver
from dataflow.operations.context import Context
from dataflow.operations.quiet import at_rest
from dataflow.operations.staging import recover
from dataflow.system.files import exclusive, mapped_os_errors

AUTOMATIC = "before "
PASSPHRASE = "DATAFLOW_BACKUP_PASSPHRASE"  # noqa: S105 - the variable's name
_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """`wait`: seconds for runs to end. `secrets`: also .env, encrypted with the passphrase in the environment."""

    reason: str = "asked for"
    wait: float = _WAIT
    secrets: bool = False


@dataclass(frozen=True, slots=True)
class BackupList:
    """Every backup, the newest first."""

    backups: tuple[Backup, ...]


def create(context: Context, options: BackupOptions, report: Report) -> Backup:
    """Make a backup. Runs go on until it begins; those asked for meanwhile wait.

    Raises:
        OperationFailedError: RUNS_ACTIVE, DISK_FULL, HISTORY_FAILED.
        ConfigurationError: PASSPHRASE_MISSING.
        MissingError: BUSY, ENGINE_DOWN.
    """
    with (
        exclusive(context.paths.run / "lock", what="This platform"),
        audited(context, "backup create", options.reason),
    ):
        recover(context, report)
        return make(context, options, report)


def make(context: Context, options: BackupOptions, report: Report) -> Backup:
    """The same, for who holds the platform's lock."""
    passphrase = _passphrase() if options.secrets else None
    created = datetime.now(UTC)
    folder = context.paths.backups / f"{created:%Y%m%dT%H%M%SZ}-{context.choice.name}"
    partial = folder.with_name(f".{folder.name}.partial")
    with mapped_os_errors(partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, mode=0o700)
    try:
        with at_rest(context, report, wait=options.wait):
            parts = Saver(context, passphrase, report).save(partial)
        backup = Backup(
            id=folder.name,
            path=partial,
            created=created,
            reason=options.reason,
            project=context.name,
            engine=context.choice.name,
            version=__version__,
            secrets="encrypted" if passphrase else "left out",
            parts=tuple(parts),
            pins=_pins(context),
        )
        backup_format.write(backup)
        with mapped_os_errors(folder):
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if options.reason.startswith(AUTOMATIC):
        _prune(context)
    return backup_format.read(folder)


def before_loss(context: Context, what: str, report: Report) -> Backup:
    """The backup that is made before data goes, with the platform's lock held."""
    return make(context, BackupOptions(f"{AUTOMATIC}{what}"), report)


def list_backups(context: Context) -> BackupList:
    """The project's backups; folders that are none, or cannot be read, are left out."""
    found: list[Backup] = []
    for manifest in context.paths.backups.glob(f"*/{backup_format.MANIFEST}"):
        try:
            found.append(backup_format.read(manifest.parent))
        except (UsageError, backup_format.OperationFailedError):
            continue
    return BackupList(tuple(sorted(found, key=lambda backup: backup.created, reverse=True)))


def find(context: Context, name: str) -> Backup:
    """A backup by its id, the beginning of it, `last`, or the path of its folder. Raises UsageError BACKUP_UNKNOWN."""
    if "/" in name and Path(name).is_dir():
        return backup_format.read(Path(name).resolve())
    known = list_backups(context).backups
    found = list(known[:1]) if name == "last" else [backup for backup in known if backup.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    message = f"{len(found)} backups begin with '{name}'." if found else f"There is no backup '{name}'."
    hint = "Give more of its id, or the path of its folder."
    actions = (Action("See the backups there are", "dataflow backup list"),)
    raise UsageError(message, code="BACKUP_UNKNOWN", hint=hint, actions=actions)


def _pins(context: Context) -> dict[str, str]:
    """What the data was made with: images by their ids, packages by their versions."""
    known = stack.load(context.paths.stack)
    images = {f"image {name}": image for name, image in known.images.items()} if known.engine == "docker" else {}
    return images | {f"package {name}": number for name, number in installed().items()}


def _passphrase() -> str:
    if found := os.environ.get(PASSPHRASE):
        return found
    message = "Secrets are only ever saved encrypted, and there is no passphrase."
    actions = (Action("Give one", f"{PASSPHRASE}=… dataflow backup create --with-secrets"),)
    raise ConfigurationError(message, code="PASSPHRASE_MISSING", actions=actions)


def _prune(context: Context) -> None:
    """Automatic backups do not pile up: the newest few stay. Those that somebody asked for are never removed."""
    automatic = [backup for backup in list_backups(context).backups if backup.reason.startswith(AUTOMATIC)]
    for backup in automatic[context.loaded.settings.backup.keep :]:
        shutil.rmtree(backup.path, ignore_errors=True)
