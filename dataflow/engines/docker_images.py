"""Have the images that a plan needs: build our own, fetch the others, and leave out what cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace

from dataflow.config.paths import ProjectPaths
from dataflow.engines import docker_checks, docker_up
from dataflow.engines.base import Plan, PlannedAction
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_planner import with_image
from dataflow.engines.model import Model
from dataflow.events import Noted, Report
from dataflow.system.process import Streaming


def provide(
    daemon: Daemon,
    paths: ProjectPaths,
    plan: Plan,
    model: Model,
    known: Mapping[str, str],
    builder: Callable[[str], AbstractContextManager[Streaming]],
    clock: docker_up.Clock,
    report: Report,
) -> tuple[Plan, dict[str, str]]:
    """The plan without services whose image cannot be had, and those with the reason; `known` are those of before.

    Raises:
        MissingError: IMAGE_MISSING; something else waits for such a service.
        OperationFailedError: BUILD_FAILED, DISK_FULL.
    """
    docker_checks.require_space(daemon, paths, report)
    users = {action.image: with_image(model, action.image) for action in plan.images}
    for action in plan.images:
        if action.verb == "build":
            docker_up.build(builder(action.image), action.image, users[action.image], clock, report)
    pulls = [action for action in plan.images if action.verb == "pull"]
    refused = docker_up.pull(daemon, pulls, users, clock, report)
    present = daemon.images() if refused else {}
    gone = {image: why for image, why in refused.items() if image not in present}
    absent = {name: f"{image} cannot be had ({why})" for image, why in gone.items() for name in users[image]}
    docker_checks.require_not_needed(absent, model, plan.changing)
    for name, why in absent.items():
        report(Noted(f"{name} is left out: {why}. `dataflow up --pull` tries again.", warning=True))
    tried = {name for image in users for name in users[image]}
    left = {name: why for name, why in known.items() if name not in tried}
    actions = tuple(
        PlannedAction(one.service, "skip", absent[one.service]) if one.service in absent else one
        for one in plan.actions
    )
    return replace(plan, actions=actions), {**left, **absent}
