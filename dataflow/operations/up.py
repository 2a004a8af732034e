"""Bring the platform up: observe, plan, apply, wait until it is healthy."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

from dataflow.engines.base import ImageAction, Plan, PlannedAction, PlanOptions, PortMove, StartUp
from dataflow.events import Report
from dataflow.models import EngineChoice, ServiceStatus
from dataflow.operations import start_up
from dataflow.operations.audit import audited
from dataflow.operations.bring_up import bring_up
from dataflow.operations.context import Context
from dataflow.operations.engine_guards import note_held, note_other_data, require_other_down, require_profiles
from dataflow.operations.staging import recover
from dataflow.system.files import exclusive
from dataflow.workflows import log_room


@dataclass(frozen=True, slots=True)
class UpOptions:
    """`services`: only these and what they depend on. `timeout`: seconds, default from the settings.

    `profiles`: beside those of the settings, until `down`. `build`, `pull`: images also where they are there.
    `stale_volume`: what to do with a volume that does not fit the settings.
    """

    services: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    timeout: float | None = None
    dry_run: bool = False
    build: bool = False
    pull: bool = False
    stale_volume: Literal["alter", "migrate", "recreate"] | None = None


@dataclass(frozen=True, slots=True)
class UpResult:
    """What was planned and done. `services` is the state afterwards; empty after a dry run.

    `profile`: how long each step of each service took. `critical_path`: the services whose waiting for each other
    made the whole take as long as it did, in their order.
    """

    project: str
    engine: EngineChoice
    dry_run: bool
    actions: tuple[PlannedAction, ...]
    images: tuple[ImageAction, ...]
    moved_ports: tuple[PortMove, ...]
    services: tuple[ServiceStatus, ...]
    profile: tuple[StartUp, ...]
    critical_path: tuple[str, ...]
    seconds: float


def up(context: Context, options: UpOptions, report: Report) -> UpResult:
    """Bring up the wanted services. What runs as it should is left alone.

    Raises:
        MissingError: PORT_TAKEN, BUSY, ENGINE_DOWN, ENGINE_OTHER, ENGINE_REMOTE, IMAGE_MISSING, NAME_TAKEN.
        ConfigurationError: COMPOSE_INVALID, VOLUME_PASSWORD, VOLUME_VERSION.
        NotHealthyError: a service crashed or was not healthy in time; everything else stays up.
    """
    began = time.monotonic()
    engine = context.engine
    timeout = options.timeout or context.loaded.settings.up.timeout
    asked = PlanOptions(options.services, options.profiles, options.build, options.pull, options.stale_volume, timeout)
    require_profiles(context, options.profiles)
    require_other_down(context)
    note_other_data(context, report)
    note_held(context, report)
    if options.dry_run:
        return _result(context, engine.plan(engine.observe(), asked), options, began)
    with (
        exclusive(context.paths.run / "lock", what="This platform"),
        audited(context, "up", " ".join(options.services)),
    ):
        recover(context, report)
        _make_room(context)
        done = bring_up(context, asked, report)
    path = start_up.critical_path(context.catalog, done.profile)
    result = _result(context, done.plan, options, began)
    return replace(result, services=done.services, profile=done.profile, critical_path=path)


def _make_room(context: Context) -> None:
    """Runs do this when they end; here for those who run nothing."""
    logs = context.loaded.settings.logs
    log_room.prune(context.paths, keep_days=logs.keep_days, max_mb=logs.max_mb)


def _result(context: Context, plan: Plan, options: UpOptions, began: float) -> UpResult:
    seconds = round(time.monotonic() - began, 2)
    choice = context.choice
    return UpResult(context.name, choice, options.dry_run, plan.actions, plan.images, plan.moved, (), (), (), seconds)
