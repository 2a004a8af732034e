"""Bring the platform up: observe, plan, apply, wait until it is healthy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from dataflow.engines.base import Plan, PlannedAction, PortMove
from dataflow.events import Noted, Report
from dataflow.models import EngineChoice, ServiceStatus
from dataflow.operations import code
from dataflow.operations.audit import audited
from dataflow.operations.context import CODE_SERVER, Context
from dataflow.operations.services import Waited, statuses, wait_healthy
from dataflow.system.files import exclusive


@dataclass(frozen=True, slots=True)
class UpOptions:
    """`services`: only these and what they depend on. `timeout`: seconds, default from the settings."""

    services: tuple[str, ...] = ()
    timeout: float | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class UpResult:
    """What was planned and done. `services` is the state afterwards; empty after a dry run."""

    project: str
    engine: EngineChoice
    dry_run: bool
    actions: tuple[PlannedAction, ...]
    moved_ports: tuple[PortMove, ...]
    services: tuple[ServiceStatus, ...]
    waited: tuple[Waited, ...]
    seconds: float


def up(context: Context, options: UpOptions, report: Report) -> UpResult:
    """Bring up the wanted services. What runs as it should is left alone.

    Raises:
        MissingError: PORT_TAKEN, BUSY, ENGINE_MISSING.
        NotHealthyError: a service crashed or was not healthy in time; everything else stays up.
    """
    began = time.monotonic()
    engine = context.engine
    if options.dry_run:
        plan = engine.plan(engine.observe(), options.services)
        return _result(context, plan, options, began)
    with (
        exclusive(context.paths.run / "lock", what="This platform"),
        audited(context, "up", " ".join(options.services)),
    ):
        plan = engine.reserve(engine.observe(), options.services)
        _tell(plan, report)
        if CODE_SERVER in plan.services("start", "restart"):
            context.prepare_history()
        if plan.changes:
            engine.apply(plan, report)
        if CODE_SERVER in plan.services("start", "restart"):
            code.remember(context)
        names = plan.services("start", "restart", "keep")
        timeout = options.timeout or context.loaded.settings.up.timeout
        waited = wait_healthy(context, names, report, timeout=timeout)
    result = _result(context, plan, options, began)
    return replace(result, services=statuses(context), waited=waited)


def _tell(plan: Plan, report: Report) -> None:
    for service in dict.fromkeys(move.service for move in plan.moved):
        moves = [move for move in plan.moved if move.service == service]
        more = f" and {len(moves) - 1} more" if len(moves) > 1 else ""
        ports = f"{moves[0].wanted} -> {moves[0].number}{more}"
        holders = ", ".join(dict.fromkeys(move.holder for move in moves))
        report(Noted(f"{service} moves to other ports, held by {holders}: {ports}.", warning=True))
    for action in plan.actions:
        if action.verb == "skip":
            report(Noted(f"{action.service} is left out: {action.cause}.", warning=True))


def _result(context: Context, plan: Plan, options: UpOptions, began: float) -> UpResult:
    seconds = round(time.monotonic() - began, 2)
    choice = context.choice
    return UpResult(context.name, choice, options.dry_run, plan.actions, plan.moved, (), (), seconds)
