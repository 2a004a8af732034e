"""Bring services up and wait for them: the part of `up` that other work needs, too. The platform's lock is held."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataflow.engines.base import CHANGING, Plan, PlanOptions, StartUp
from dataflow.errors import StorageError
from dataflow.events import Noted, Report
from dataflow.models import ServiceStatus
from dataflow.operations import code, start_up
from dataflow.operations.context import CODE_SERVER, OBJECT_STORE, Context
from dataflow.operations.services import Waiting

if TYPE_CHECKING:
    from dataflow.shared.minio import ObjectStore

_KEYS_LATE = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """What was planned and done, the state of all services afterwards, and how long each took."""

    plan: Plan
    services: tuple[ServiceStatus, ...]
    profile: tuple[StartUp, ...]


def bring_up(context: Context, options: PlanOptions, report: Report, *, healthy: bool = True) -> BroughtUp:
    """Observe, plan, apply, and wait until all is healthy unless told otherwise.

    Raises:
        MissingError, ConfigurationError, NotHealthyError: as `up`.
    """
    engine = context.engine
    plan = engine.reserve(engine.observe(), options, report)
    _tell(context, plan, report)
    if CODE_SERVER in plan.changing:
        context.prepare_history()
    names = plan.services(*CHANGING, "keep")
    waiting = Waiting(context, names, report, timeout=options.timeout, anew=plan.changing)
    waiting.give_up(engine.apply(plan, options, report, waiting.look))
    if CODE_SERVER in plan.changing:
        code.remember(context)
    waited = waiting.wait() if healthy else ()
    _make_buckets(context, plan)
    return BroughtUp(plan, waiting.seen, start_up.completed(engine.finish(plan), waited))


def _tell(context: Context, plan: Plan, report: Report) -> None:
    for service in dict.fromkeys(move.service for move in plan.moved):
        moves = [move for move in plan.moved if move.service == service]
        more = f" and {len(moves) - 1} more" if len(moves) > 1 else ""
        ports = f"{moves[0].wanted} -> {moves[0].number}{more}"
        holders = ", ".join(dict.fromkeys(move.holder for move in moves))
        report(Noted(f"{service} moves to other ports, held by {holders}: {ports}.", warning=True))
    for action in plan.actions:
        spec = context.catalog.get(action.service)
        if action.verb == "skip":
            report(Noted(f"{action.service} is left out: {action.cause}.", warning=True))
        elif action.verb in CHANGING and spec and spec.deprecated:
            report(Noted(f"{spec.deprecated}.", warning=True))


def _make_buckets(context: Context, plan: Plan) -> None:
    """Make the buckets of the settings when the store has just started. Under Docker a job does it."""
    if context.has_files and OBJECT_STORE in plan.changing:
        store = context.store()
        for bucket in context.loaded.settings.buckets:
            _made(store, bucket)


def _made(store: ObjectStore, bucket: str) -> None:
    """Make a bucket. A store that has just started may not know its own keys for a moment."""
    deadline = time.monotonic() + _KEYS_LATE
    while True:
        try:
            return store.ensure_bucket(bucket)
        except StorageError as error:
            if error.code != "STORE_CREDENTIALS" or time.monotonic() > deadline:
                raise
            time.sleep(0.3)
