"""What `up` has to do to each container, and why: a pure comparison of the project as written and as it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataflow.engines.base import CHANGING, ImageAction, PlannedAction, Verb
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.model import FILE, SECRET, Model, ServiceModel

_NAMES_SHOWN = 3
_HASH = "compose"


@dataclass(frozen=True, slots=True)
class Causes:
    """What was applied last, and what of the user's changed since: keys of settings, variables, files, by service."""

    applied: Mapping[str, Mapping[str, str]]
    changed: Mapping[str, Sequence[str]]


def needed(model: Model, names: Iterable[str]) -> list[str]:
    """These services and all that they wait for, dependencies first; names that the project lacks are left out."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in found or name not in model:
            return
        for dependency in sorted(model[name].depends):
            visit(dependency)
        found[name] = None

    for name in names:
        visit(name)
    return list(found)


def plan_images(
    names: Sequence[str],
    model: Model,
    images: Mapping[str, str],
    absent: Mapping[str, str],
    own: Mapping[str, str],
    *,
    build: bool,
    pull: bool,
) -> list[ImageAction]:
    """What has to be fetched or built before the services start. `own`: our images, with what they are made of."""
    wanted = dict.fromkeys(model[name].image for name in names if name not in absent)
    actions: list[ImageAction] = []
    for image in wanted:
        if image in own:
            if build or image not in images:
                actions.append(ImageAction(image, "build", "asked for" if image in images else own[image]))
        elif pull or image not in images:
            actions.append(ImageAction(image, "pull", "asked for" if image in images else "it is not here"))
    return actions


def plan_actions(
    wanted: Sequence[str],
    model: Model,
    containers: Mapping[str, ContainerFacts],
    images: Mapping[str, str],
    jobs: set[str],
    absent: Mapping[str, str],
    causes: Causes,
) -> list[PlannedAction]:
    """One action per wanted service, in their order, which is dependencies first.

    Args:
        wanted: The services to bring up.
        model: The project.
        containers: What there is, by service.
        images: The ids of the engine's images by name.
        jobs: Services that run once and end.
        absent: Services whose image cannot be had, with the reason.
        causes: To name what changed.
    """
    actions: dict[str, PlannedAction] = {}
    for name in wanted:
        if name in absent:
            actions[name] = PlannedAction(name, "skip", absent[name])
            continue
        before = causes.applied.get(name, {})
        verb, cause = _verb(model[name], containers.get(name), before, images, job=name in jobs)
        if verb == "recreate":
            cause = _named(name, model[name], cause, causes)
        elif verb == "keep":
            verb, cause = _kept(name, model[name], cause, causes)
        if verb == "keep" and name in jobs:
            verb, cause = _again(model[name], actions, cause)
        actions[name] = PlannedAction(name, verb, cause)
    return list(actions.values())


def applied(service: ServiceModel, container: ContainerFacts) -> dict[str, str]:
    """What to remember of a container that was just made: the keys it was made with, and Compose's own digest."""
    return {**service.parts, _HASH: container.config_hash}


def unseen(service: ServiceModel, before: Mapping[str, str]) -> bool:
    """Whether the service must be made anew for something that Compose does not see: a secret's value."""
    return any(part.startswith(SECRET) for part in _different(before, service.parts))


def _verb(
    service: ServiceModel,
    container: ContainerFacts | None,
    before: Mapping[str, str],
    images: Mapping[str, str],
    *,
    job: bool,
) -> tuple[Verb, str]:
    if container is None:
        return "create", "it is not there"
    # Compose's digest is ours to compare only where it was us who made the container: of a service with an `env_file`
    # it tells another one to `config --hash` than it writes on the container.
    known = container.config_hash == before.get(_HASH)
    if (known and _made_anew(before, service.parts)) or (not known and container.config_hash != service.hash):
        return "recreate", "its configuration changed" if before else "it was made with another configuration"
    if images.get(service.image, container.image_id) != container.image_id:
        return "recreate", f"the image {service.image} is another one now"
    if container.state == "paused":
        return "start", "it is paused"
    if job:
        done = container.state == "exited" and container.exit_code == 0
        if container.running:
            return "keep", "it is at work"
        return ("keep", "it has done its work") if done else ("start", "it did not finish")
    if not container.running and container.state != "restarting":
        return "start", f"it is {container.state}"
    return "keep", "it runs as it should"


def _named(name: str, service: ServiceModel, cause: str, causes: Causes) -> str:
    """The keys that differ from what was applied, and what of the user's they come from."""
    before = causes.applied.get(name, {})
    parts = [_words(part) for part in _made_anew(before, service.parts)] if before else []
    sources = [source for source in causes.changed.get(name, ()) if source not in parts]
    if not parts and not sources:
        return cause
    shown = ", ".join(parts[:_NAMES_SHOWN]) + (
        f" and {len(parts) - _NAMES_SHOWN} more" if len(parts) > _NAMES_SHOWN else ""
    )
    told = f" ({', '.join(sources[:_NAMES_SHOWN])})" if sources else ""
    return f"{shown or 'its configuration'} changed{told}"


def _kept(name: str, service: ServiceModel, cause: str, causes: Causes) -> tuple[Verb, str]:
    """A container does not notice that a mounted file has other contents: it reads it when it starts."""
    before = causes.applied.get(name)
    files = [part for part in _different(before or {}, service.parts) if part.startswith(FILE)]
    if before is None or not files:
        return "keep", cause
    return "restart", f"{', '.join(_words(part) for part in files)} changed"


def _again(service: ServiceModel, actions: Mapping[str, PlannedAction], cause: str) -> tuple[Verb, str]:
    """A job does its work again for a service that starts anew: it may have lost it."""
    fresh = [name for name in service.depends if name in actions and actions[name].verb in CHANGING]
    return ("start", f"{', '.join(fresh)} starts anew") if fresh else ("keep", cause)


def _different(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(part for part in before.keys() | now.keys() if before.get(part) != now.get(part))


def _made_anew(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The keys whose change needs another container; a mounted file is only read again."""
    return [part for part in _different(before, now) if part != _HASH and not part.startswith(FILE)]


def _words(part: str) -> str:
    return part.removeprefix("environment.").removeprefix(FILE).removeprefix(SECRET)
