"""Which engine runs the services and what it is like, and moving a project from one to the other with all its data."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

from dataflow.engines import choice
from dataflow.errors import Action, MissingError, OperationFailedError, UsageError
from dataflow.events import Noted, Report
from dataflow.models import EngineChoice, EngineName
from dataflow.operations import backup_parts
from dataflow.operations.audit import audited
from dataflow.operations.backup import BackupOptions, make
from dataflow.operations.backup_format import PartName
from dataflow.operations.carry import carry_in
from dataflow.operations.context import Context
from dataflow.operations.staging import recover
from dataflow.operations.standing import Standing
from dataflow.system.files import exclusive


@dataclass(frozen=True, slots=True)
class EngineShown:
    """The engine in use, and why. The rest is what is known of Docker here; `lacks` says why it cannot be used."""

    name: EngineName
    reason: str
    endpoint: str | None = None
    version: str | None = None
    compose: str | None = None
    rootless: bool | None = None
    cpus: int | None = None
    memory: int | None = None
    free_disk: int | None = None
    lacks: str | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """One part that was carried over: what it held before, and what it holds now."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """A project on another engine. `backup` is what it was carried over by, and stays."""

    before: EngineName
    engine: EngineName
    parts: tuple[Carried, ...]
    backup: str
    seconds: float


def show(context: Context) -> EngineShown:
    """The engine in use, and what Docker is like on this machine. Never raises because Docker is not there."""
    chosen: EngineChoice = context.choice
    if lacks := choice.docker_lacks():
        return EngineShown(chosen.name, chosen.reason, lacks=lacks)
    from dataflow.engines.compose import require_version
    from dataflow.engines.daemon import Daemon

    daemon = Daemon()
    info = daemon.info()
    root = str(info.get("DockerRootDir", ""))
    return EngineShown(
        chosen.name,
        chosen.reason,
        endpoint=str(daemon.endpoint),
        version=str(info.get("ServerVersion", "")),
        compose=require_version(),
        rootless=any("rootless" in option for option in info.get("SecurityOptions") or ()),
        cpus=info.get("NCPU"),
        memory=info.get("MemTotal"),
        free_disk=_free(root),
    )


def switch(context: Context, target: EngineName, report: Report) -> SwitchResult:
    """Carry objects, run history and databases from the engine in use to the other one; the warehouse is one file.

    The platform comes up on the new engine where it was up before. What the old one kept stays until the next switch.

    Raises:
        UsageError: ENGINE_SAME, ENGINE_CONFIGURED.
        MissingError: ENGINE_MISSING, BUSY.
        OperationFailedError: RUNS_ACTIVE, RESTORE_MISMATCH; then everything stays on the engine it was on.
    """
    began = time.monotonic()
    source = context.choice.name
    _require_possible(context, source, target)
    carried: tuple[PartName, ...] = ("objects", "history", "files", "databases")
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "engine switch", target):
        recover(context, report)
        backup = make(context, BackupOptions(f"before engine switch to {target}"), report)
        with Standing(context, report, after=target):
            facts = carry_in(context, backup, target, carried, report)
        part = backup.part("warehouse")
        if part:
            facts["warehouse"] = backup_parts.facts_of_warehouse(context.warehouse)
            if facts["warehouse"] != part.facts:
                message = "The warehouse changed while the project was carried over."
                raise OperationFailedError(message, code="RESTORE_MISMATCH", hint=f"It is as before in {backup.id}.")
    if backup.part("databases") and target == "native":
        report(Noted(f"Postgres databases stay in the backup {backup.id}: the native engine has none.", warning=True))
    parts = tuple(Carried(part.name, part.facts, facts[part.name]) for part in backup.parts if part.name in facts)
    return SwitchResult(source, target, parts, backup.id, round(time.monotonic() - began, 2))


def _require_possible(context: Context, source: EngineName, target: EngineName) -> None:
    if source == target:
        raise UsageError(f"The project is on the {target} engine already.", code="ENGINE_SAME")
    origin = context.loaded.origin("engine")
    if context.loaded.settings.engine not in ("auto", target):
        message = f"The engine is set to {context.loaded.settings.engine} by {origin}: it would not stay on {target}."
        hint = f'Remove that setting, or make it "{target}" or "auto", then switch.'
        raise UsageError(message, code="ENGINE_CONFIGURED", hint=hint)
    lacks = choice.docker_lacks() if target == "docker" else None
    if lacks:
        actions = (Action("See what is known of Docker here", "dataflow engine show"),)
        raise MissingError(f"The docker engine cannot be used: {lacks}.", code="ENGINE_MISSING", actions=actions)


def _free(root: str) -> int | None:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return None  # the engine keeps its files in a virtual machine
