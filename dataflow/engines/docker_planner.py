"""Plans for the docker engine: what is there, what is asked for, and so what has to happen, with its causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from dataflow.config.catalog import Catalog, closure, require, selected
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ALL_PROFILES, ServiceSpec
from dataflow.config.settings import Loaded
from dataflow.engines import docker_checks, port_plan, probes, reservations
from dataflow.engines.base import Plan, PlannedAction, PlanOptions, PortMove
from dataflow.engines.compose import Compose
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_plan import Causes, needed, plan_actions, plan_images
from dataflow.engines.docker_project import DockerProject, Ports, container_user
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.model import Model
from dataflow.engines.stack import Stack
from dataflow.models import PortUse


class Planner:
    """Makes plans for one project; looks, and changes nothing but the files that Compose reads."""

    def __init__(self, paths: ProjectPaths, loaded: Loaded, catalog: Catalog, daemon: Daemon) -> None:
        self._paths = paths
        self._loaded = loaded
        self._catalog = catalog
        self._daemon = daemon
        self.project = DockerProject(paths, loaded, catalog)
        self.jobs = {name for name, spec in catalog.items() if spec.job}

    @cached_property
    def user(self) -> tuple[int, int]:
        """The user and group of containers that write into the project's folder."""
        return container_user(self._daemon.info().get("SecurityOptions") or [])

    def wanted(self, stack: Stack) -> Catalog:
        """The services that the settings select, and those that a flag asked for until `down`."""
        return selected(self._catalog, self._loaded.settings, "docker", stack.profiles)

    def variables(self, ports: Ports, stack: Stack) -> dict[str, str]:
        """What Compose fills in, but for secrets."""
        return self.project.variables(ports, self.user, stack)

    def plan(self, options: PlanOptions, stack: Stack, *, write: bool) -> tuple[Plan, Model]:
        """The plan, and the project it is for.

        Raises:
            MissingError: PORT_TAKEN, NAME_TAKEN.
            ConfigurationError: COMPOSE_INVALID.
        """
        containers = {facts.service: facts for facts in self._daemon.project(self.project.name)}
        everything = self._daemon.summaries()
        ports, moved = self.ports(containers, everything, stack, options.only)
        variables = self.variables(ports, stack)
        with self.project.opened(variables, write=write) as (_, model):
            names = self._names(model, options.only, stack)
            docker_checks.require_free_names(everything, self.project.name, names)
            images = self._daemon.images()
            absent = {
                name: why
                for name, why in stack.absent.items()
                if name in model and not options.pull and model[name].image not in images
            }
            own = self._own_images(model, stack)
            fetch = plan_images(names, model, images, absent, own, build=options.build, pull=options.pull)
            causes = self._causes(variables, names, stack)
            actions = plan_actions(names, model, containers, images, self.jobs, absent, causes)
            if not options.only:
                actions += _unwanted(containers, names, model)
        if write:
            self.write_probes(actions, stack)
        return Plan("docker", tuple(actions), ports, moved, tuple(fetch)), model

    def write_probes(self, actions: Sequence[PlannedAction], stack: Stack) -> None:
        """Where the exporter asks the services that will be up."""
        names = {*self.wanted(stack), *(action.service for action in actions if action.verb not in {"stop", "skip"})}
        gone = {action.service for action in actions if action.verb in {"stop", "skip"}}
        specs = {name: spec for name, spec in self._catalog.items() if name in names - gone}
        probes.save(self._paths.run, probes.in_network(specs))

    def ports(
        self,
        containers: Mapping[str, ContainerFacts],
        everything: Sequence[Mapping[str, Any]],
        stack: Stack,
        only: Sequence[str] = (),
    ) -> tuple[dict[str, tuple[PortUse, ...]], tuple[PortMove, ...]]:
        """A container keeps its ports while it runs; the others get what is free.

        `containers` are the project's, `everything` has a summary of each on the engine. `only`: services that are
        asked for by name, whatever their profile.

        Raises:
            MissingError: PORT_TAKEN.
        """
        others = {
            **reservations.of_others(self._paths, docker_checks.running_projects(everything)),
            **docker_checks.ports_of_others(everything, self.project.name),
        }
        named = closure(self._catalog, [name for name in only if name in self._catalog])
        specs = published({**self.wanted(stack), **named})
        kept = {name for name in specs if name in containers and containers[name].pid}
        held = {name: _held(specs[name], containers[name]) for name in kept}
        return port_plan.assign(specs, self._loaded.settings, {**stack.ports, **held}, kept, others)

    def _names(self, model: Model, only: Sequence[str], stack: Stack) -> list[str]:
        """What is to run: the named services, else all that are wanted and what the user's own files add."""
        for name in only:
            if name not in model:
                require(self._catalog, name)
        if only:
            return needed(model, only)
        on = {*self._loaded.settings.profiles, *stack.profiles}
        added = [name for name, service in model.items() if name not in self._catalog and _is_on(service.profiles, on)]
        return needed(model, [*self.wanted(stack), *added])

    def _own_images(self, model: Model, stack: Stack) -> dict[str, str]:
        """Images that are built here, with the words for why one is not there."""
        built = {service.image: "it is not built yet" for service in model.values() if service.builds}
        if not stack.images:
            return built | dict.fromkeys((self.project.toolkit, self.project.code_image), "it is not built yet")
        own = {self.project.toolkit: "the toolkit or its libraries are others than before"}
        if self.project.baked:
            own[self.project.code_image] = "the workflows are others than before"
        return {**built, **own}

    def _causes(self, variables: Mapping[str, str], names: Sequence[str], stack: Stack) -> Causes:
        if stack.engine != "docker":  # what is remembered is how processes were started
            return Causes({}, {})
        before, now = stack.variables, self.project.inputs(variables)
        changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
        if not before or not changed:
            return Causes(stack.launches, {})
        return Causes(stack.launches, {name: self.project.sources(changed, name) for name in names})


def published(catalog: Catalog) -> Catalog:
    """The services with those of their ports that people reach."""
    found: Catalog = {}
    for name, spec in catalog.items():
        reached = spec.container.published if spec.container else {}
        ports = {port: number for port, number in spec.ports.items() if port in reached}
        found[name] = replace(spec, ports=ports)
    return found


def with_image(model: Model, image: str) -> list[str]:
    """The services that run an image."""
    return [name for name, service in model.items() if service.image == image]


def builder_of(model: Model, image: str) -> str | None:
    """The service whose `build:` makes an image."""
    return next((name for name, service in model.items() if service.builds and service.image == image), None)


def compose_for(planner: Planner, ports: Ports, stack: Stack) -> Compose:
    """Compose, ready to be called for this project."""
    with planner.project.opened(planner.variables(ports, stack), write=True) as (caller, _):
        return caller


def _held(spec: ServiceSpec, facts: ContainerFacts) -> dict[str, int]:
    inside = spec.container.published if spec.container else {}
    return {port: facts.published[number] for port, number in inside.items() if number in facts.published}


def _is_on(profiles: Sequence[str], on: set[str]) -> bool:
    return not profiles or ALL_PROFILES in on or not on.isdisjoint(profiles)


def _unwanted(containers: Mapping[str, ContainerFacts], names: Sequence[str], model: Model) -> list[PlannedAction]:
    """What is there although nothing asks for it."""
    left = [name for name in containers if name not in names]
    causes = {name: "the settings no longer ask for it" if name in model else "no file describes it" for name in left}
    return [PlannedAction(name, "stop", cause) for name, cause in causes.items()]
