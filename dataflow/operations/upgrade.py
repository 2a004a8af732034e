"""Bring the platform to the images and packages of now, with a way back: plan, backup, health gate, return."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dataflow.engines.base import PlanOptions
from dataflow.engines.upgrader import Version
from dataflow.errors import Action, DataflowError, NotHealthyError
from dataflow.events import Noted, Report, StepChanged, ignore
from dataflow.models import EngineChoice
from dataflow.operations.audit import audited
from dataflow.operations.backup import before_loss
from dataflow.operations.backup_format import Backup
from dataflow.operations.bring_up import bring_up
from dataflow.operations.carry import carry_in
from dataflow.operations.context import Context
from dataflow.operations.restore import REPLACED
from dataflow.operations.staging import recover
from dataflow.system.files import exclusive


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """`timeout`: seconds until the new platform must be healthy. `snapshot`: back everything up first."""

    dry_run: bool = False
    snapshot: bool = True
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    """What was, or would be, upgraded. `backup`: the state before."""

    engine: EngineChoice
    dry_run: bool
    versions: tuple[Version, ...]
    backup: str | None
    seconds: float


def upgrade(context: Context, options: UpgradeOptions, report: Report) -> UpgradeResult:
    """Fetch what is newer, back up, bring it up, and return to what ran before if it does not become healthy.

    Raises:
        NotHealthyError: UPGRADE_RETURNED; the platform is as it was, with the reason why the new one is not.
            UPGRADE_FAILED where there is no way back but by hand, which the error tells.
        MissingError: BUSY, ENGINE_DOWN, IMAGE_MISSING.
    """
    began = time.monotonic()
    upgrader = context.engine.upgrader
    if options.dry_run:
        return _result(context, options, upgrader.versions(ask=True), None, began)
    timeout = options.timeout or context.loaded.settings.up.timeout
    with exclusive(context.paths.run / "lock", what="This platform"), audited(context, "upgrade"):
        recover(context, report)
        upgrader.fetch(report)
        versions = upgrader.versions(ask=False)
        if not any(version.changes for version in versions):
            return _result(context, options, versions, None, began)
        pins = upgrader.hold()
        backup = before_loss(context, "upgrade", report) if options.snapshot else None
        upgrader.release()
        try:
            bring_up(Context(context.paths), PlanOptions(timeout=timeout), report)
        except DataflowError as error:
            report(StepChanged("upgrade", "failed", error.message))
            raise _returned(context, pins, backup, error, report) from error
        except KeyboardInterrupt:
            kept = f"; the state before is in {backup.id}" if backup else ""
            report(Noted(f"The upgrade is half done{kept}. `dataflow upgrade` goes on.", warning=True))
            raise
        upgrader.clean()
    return _result(context, options, versions, backup, began)


def _returned(
    context: Context, pins: dict[str, str], backup: Backup | None, error: DataflowError, report: Report
) -> NotHealthyError:
    """Go back: the images that ran, on the data as it was. The error tells how far that went."""
    if not context.engine.upgrader.return_to(pins):
        old = " ".join(f"{name}=={number}" for name, number in pins.items())
        actions = (
            Action("Install what ran before", f"pip install {old}"),
            Action("Then start it", "dataflow up"),
            *((Action("And bring the data back", f"dataflow backup restore {backup.id}"),) if backup else ()),
        )
        message = f"The upgraded platform does not come up: {error.message}"
        return NotHealthyError(message, code="UPGRADE_FAILED", hint=error.hint, actions=actions)
    report(StepChanged("return", "started", "to what ran before"))
    engine = context.choice.name
    before = Context(context.paths, {"engine": engine})
    before.engine.shut_down(ignore)
    if backup:
        carry_in(before, backup, engine, REPLACED, ignore)
    bring_up(
        Context(context.paths, {"engine": engine}), PlanOptions(timeout=context.loaded.settings.up.timeout), ignore
    )
    report(StepChanged("return", "done", "everything runs as before"))
    message = f"The upgraded platform did not come up, and everything is as it was before: {error.message}"
    actions = (
        *error.actions,
        Action("Try again", "dataflow upgrade"),
    )
    return NotHealthyError(message, code="UPGRADE_RETURNED", hint=error.hint, actions=actions)


def _result(
    context: Context, options: UpgradeOptions, versions: tuple[Version, ...], backup: Backup | None, began: float
) -> UpgradeResult:
    seconds = round(time.monotonic() - began, 2)
    return UpgradeResult(context.choice, options.dry_run, versions, backup.id if backup else None, seconds)
