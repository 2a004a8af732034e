"""The docker engine: the whole platform as one Compose project on the Docker Engine that answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property

from dataflow.config.catalog import Catalog
from dataflow.config.dotenv import write_block
from dataflow.config.environment import ensure_secrets, project_environment
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ServiceSpec
from dataflow.config.settings import Loaded
from dataflow.engines import (
    compose,
    docker_checks,
    docker_failures,
    docker_folder,
    docker_images,
    docker_logs,
    docker_looks,
    docker_plan,
    docker_up,
    docker_usage,
    reservations,
    stack,
    volumes,
)
from dataflow.engines.base import (
    CHANGING,
    Engine,
    Examined,
    Observation,
    Plan,
    PlanOptions,
    PortMove,
    Ports,
    StartUp,
    Usage,
)
from dataflow.engines.carrier import Carrier
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_carrier import DockerCarrier
from dataflow.engines.docker_failures import Seen
from dataflow.engines.docker_planner import Planner, builder_of, compose_for, published
from dataflow.engines.docker_upgrader import DockerUpgrader
from dataflow.engines.facts import ContainerFacts, process_of
from dataflow.engines.images import build_command
from dataflow.engines.launch import Filler
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.engines.model import Model
from dataflow.engines.upgrader import Upgrader
from dataflow.errors import DataflowError, MissingError
from dataflow.events import Report, StepChanged, ignore
from dataflow.models import PortUse
from dataflow.system.log_text import Stored
from dataflow.system.process import Streaming, streaming

_CODE = "dagster-code"


class DockerEngine(Engine):
    """Services as containers. Data lives in named volumes, but for the warehouse, which is the project's own file."""

    name = "docker"

    def __init__(self, paths: ProjectPaths, loaded: Loaded, catalog: Catalog) -> None:
        self._paths = paths
        self._loaded = loaded
        self._catalog = catalog
        self._model: Model = {}
        self._mismatch: volumes.Mismatch | None = None
        self._anew: frozenset[str] = frozenset()
        self._replaced: frozenset[str] = frozenset()
        self._clock = docker_up.Clock()
        self.daemon = Daemon()
        self.planner = Planner(paths, loaded, catalog, self.daemon)
        self.project = self.planner.project

    @cached_property
    def _stack(self) -> stack.Stack:
        return stack.load(self._paths.stack)

    @property
    def wanted(self) -> Catalog:
        """The services that the settings select, and those that a flag asked for until `down`."""
        return self.planner.wanted(self._stack)

    def containers(self) -> dict[str, ContainerFacts]:
        """The container of each service, whoever started it. Raises MissingError ENGINE_DOWN."""
        return docker_looks.containers(self.daemon, self.project.name)

    def observe(self) -> Observation:
        """The project's containers, whoever started them."""
        try:
            containers = self.containers()
        except MissingError as error:
            return Observation(alive=False, trouble=f"{error.message} {error.hint or ''}".strip())
        processes = {name: process_of(facts, job=name in self.planner.jobs) for name, facts in containers.items()}
        return Observation(bool(containers), processes)

    def plan(self, observed: Observation, options: PlanOptions) -> Plan:  # noqa: ARG002 - it looks itself
        """Compare the project as written with the containers."""
        return self.planner.plan(options, self._asked(options), write=False)[0]

    def assign_ports(self, observed: Observation) -> tuple[Ports, tuple[PortMove, ...]]:  # noqa: ARG002 - looks itself
        """A container keeps its ports while it runs; the others get what is free."""
        return self.planner.ports(self.containers(), self.daemon.summaries(), self._stack)

    def reserve(self, observed: Observation, options: PlanOptions, report: Report) -> Plan:  # noqa: ARG002 - looks itself
        """The plan, with its ports kept for this project, and what Compose reads written."""
        docker_checks.require_local(self.daemon, self._paths)
        ensure_secrets(self._paths, self._loaded, report)
        docker_folder.prepare(self._paths, self._loaded, self.planner.user)
        asked = self._asked(options)
        with reservations.locked():
            plan, self._model = self.planner.plan(options, asked, write=True)
            if self._fit_volume(plan, options, report):
                plan, self._model = self.planner.plan(options, asked, write=True)
            reservations.reserve(self._paths, plan.ports, self.project.name)
        if asked != self._stack:
            self._save(asked)
        return plan

    def apply(self, plan: Plan, options: PlanOptions, report: Report, beat: Callable[[], None]) -> list[str]:
        """Fetch, build, create and start; waits where a service waits for another."""
        if not plan.changes:
            return []
        docker_checks.require_usable(self.daemon)
        self._clock = docker_up.Clock()
        self._anew, self._replaced = frozenset(plan.changing), frozenset(plan.services("create", "recreate"))
        self._remember(plan)
        write_block(self._paths.env, self._variables(plan))
        plan = self._provide(plan, options, report)
        try:
            self._make(plan, options, report, beat)
        finally:
            self._remember_containers(plan)
        return plan.services("skip")

    def finish(self, plan: Plan) -> tuple[StartUp, ...]:
        """Remember what a volume was made with, which a healthy Postgres proves. The times are the engine's own."""
        containers = self.containers()
        known = {**self._stack.volumes, **volumes.records(self.daemon, self.project, self._stack, containers)}
        if known != self._stack.volumes:
            self._save(replace(self._stack, volumes=known))
        return docker_up.finish(self._clock, containers, self._model, plan.changing)

    def stop(self, names: Sequence[str], report: Report) -> None:
        """Stop containers in two waves: first those that no other one needs, so that none ends without its partner."""
        needed = {other for name in names if name in self._catalog for other in self._catalog[name].depends}
        for wave in ([name for name in names if name not in needed], [name for name in names if name in needed]):
            self._each(wave, "stopping", "stopped", lambda facts: self.daemon.stop(facts.id), report)

    def restart(self, names: Sequence[str], report: Report) -> None:
        """Stop and start containers."""

        def again(facts: ContainerFacts) -> None:
            self.daemon.stop(facts.id)
            self.daemon.start(facts.id)

        self._each(names, "restarting", "restarted", again, report)

    def shut_down(self, report: Report, *, volumes: bool = False) -> int:
        """Remove the project's containers and network. Nothing that is not labelled as this project's is touched."""
        before = self.containers()
        if before or volumes:
            report(StepChanged("platform", "started", "stopping"))
            self.stop([name for name, facts in before.items() if facts.running], ignore)
            compose.take_down(self.project.name, dict(os.environ), volumes=volumes)
        reservations.release(self._paths)
        if self._paths.stack.exists():
            kept = {} if volumes else self._stack.volumes
            self._save(replace(self._stack, profiles=(), absent={}, launches={}, variables={}, volumes=kept))
        return len(before)

    def environment(self) -> dict[str, str]:
        """The environment of the project's code on this machine, where containers are reached over loopback."""
        ports = {name: {use.name: use.number for use in uses} for name, uses in self.ports().items()}
        env = project_environment(self._paths, self._loaded, ports.get("object-store", {}).get("s3"))
        if self._loaded.settings.warehouse.postgres and "DATAFLOW_POSTGRES_DSN" not in env:
            place = f"dataflow:{env.get('DATAFLOW_POSTGRES_PASSWORD', '')}@127.0.0.1:{ports['postgres']['sql']}"
            env["DATAFLOW_POSTGRES_DSN"] = f"postgresql://{place}/warehouse"
        return env

    def ports(self) -> dict[str, tuple[PortUse, ...]]:
        """The published ports as they are remembered, else as they would be tried first."""
        known = self._stack.ports
        return {
            name: tuple(
                PortUse(port, known.get(name, {}).get(port, first), first) for port, first in spec.ports.items()
            )
            for name, spec in published(self._catalog).items()
        }

    def filler(self) -> Filler:
        """Fills `{{…}}` with the published ports."""
        return Filler(self._paths, self._catalog, self.ports())

    def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """Memory now; processor since the last time somebody asked, or since the container started."""
        try:
            running = {docker_usage.service_of(one): one["Id"] for one in self.daemon.summaries(self.project.name)}
            asked = {name: container for name, container in running.items() if name in names}
            with ThreadPoolExecutor(max_workers=8) as pool:
                samples = dict(zip(asked, pool.map(self.daemon.stats, asked.values()), strict=True))
        except MissingError:
            return {}
        return docker_usage.usage(self._paths.run / "usage.json", asked, samples)

    def reaches(self, spec: ServiceSpec) -> bool:
        """Whether its question goes to ports that are published."""
        check = spec.health
        return spec.reaches("{{" + check.tcp + "}}") if check.tcp else spec.reaches(check.url or "")

    def diagnose(self, names: Sequence[str]) -> DataflowError | None:
        """The first, dependencies first, that has failed for good, with what its container tells."""
        return docker_failures.broken(names, self._look())

    def examine(self) -> dict[str, Examined]:
        """What the containers tell, and whether the volume of Postgres fits the settings of now."""
        return docker_looks.examined(self.daemon, self.project, self._stack, self._loaded, self._catalog)

    @property
    def upgrader(self) -> Upgrader:
        """Images."""
        return DockerUpgrader(self.daemon, self.planner, self._paths)

    @property
    def carrier(self) -> Carrier:
        """Postgres and the volumes."""
        return DockerCarrier(self.daemon, self.planner, self._paths, self._stack)

    def log_tail(self, service: str, lines: int) -> list[str]:
        """The last lines of the service's container."""
        container = self._container_of(service)
        return docker_logs.tail(self.daemon, container, lines) if container else []

    def log_read(self, service: str, scan: LogScan) -> Iterator[Stored]:
        """What the engine keeps of the service's container."""
        container = self._container_of(service)
        return docker_logs.read(self.daemon, container, service, scan) if container else iter(())

    def log_mark(self) -> LogMark:
        """Now, by this machine's clock, which is the engine's."""
        return LogMark(datetime.now(UTC), {})

    def log_follow(self, services: Sequence[str], mark: LogMark) -> Iterator[Stored | None]:
        """Lines of several containers as they come, over restarts and new containers."""
        return docker_logs.follow(self.daemon, self.project.name, services, mark)

    def missing(self, service: str) -> str | None:
        """Why there is no container of it: its image cannot be had, or nobody described one."""
        spec = self._catalog.get(service)
        if spec is not None and spec.container is None:
            return "its compose.yaml has no container: use --engine native"
        return self._stack.absent.get(service)

    def code_command(self, command: Sequence[str], service: str | None) -> tuple[str, ...]:
        """`docker exec` into a service's container, the code server's where none is named."""
        facts = self.containers().get(service or _CODE)
        if facts is None or not facts.running:
            raise docker_checks.not_running(service or _CODE)
        terminal = ["--interactive", "--tty"] if os.isatty(0) and os.isatty(1) else ["--interactive"]
        return ("docker", "exec", *terminal, facts.id, *command)

    def _container_of(self, service: str) -> str | None:
        """The id of a service's container: one question, where `containers` asks for each of them."""
        found = self.daemon.summaries(self.project.name)
        return next((one["Id"] for one in found if docker_usage.service_of(one) == service), None)

    def _asked(self, options: PlanOptions) -> stack.Stack:
        """What is remembered, with the profiles that this call asks for."""
        profiles = tuple(dict.fromkeys([*self._stack.profiles, *options.profiles]))
        return replace(self._stack, profiles=profiles)

    def _variables(self, plan: Plan) -> dict[str, str]:
        return self.planner.variables(plan.ports, self._stack)

    def _provide(self, plan: Plan, options: PlanOptions, report: Report) -> Plan:
        """Have every image that the plan needs; services whose image cannot be had are left out of it."""
        plan, absent = docker_images.provide(
            self.daemon,
            self._paths,
            plan,
            self._model,
            self._stack.absent,
            lambda image: self._builder(plan, image, options),
            self._clock,
            report,
        )
        self._stack = replace(self._stack, absent=absent)
        self.planner.write_probes(plan.actions, self._stack)  # nobody misses what cannot be had
        return plan

    def _make(self, plan: Plan, options: PlanOptions, report: Report, beat: Callable[[], None]) -> None:
        """Create, start and remove containers."""
        names = plan.services("create", "recreate", "start")
        if names:
            self._unpause(names)
            applied = self._stack.launches
            anew = [
                name
                for name in plan.services("recreate")
                if docker_plan.unseen(self._model[name], applied.get(name, {}))
            ]
            self._each(anew, "removing", "removed", lambda facts: self.daemon.remove(facts.id), ignore)
            caller = compose_for(self.planner, plan.ports, self._stack)
            order = docker_plan.needed(self._model, names)

            def look() -> Seen:
                beat()
                return self._look()

            docker_up.up(caller, order, look, self._clock, report, timeout=options.timeout)
        self.restart(plan.services("restart"), ignore)
        self._each(plan.services("stop"), "removing", "removed", lambda facts: self.daemon.remove(facts.id), report)

    def _builder(self, plan: Plan, image: str, options: PlanOptions) -> AbstractContextManager[Streaming]:
        service = builder_of(self._model, image)
        if image in {self.project.toolkit, self.project.code_image} or service is None:
            return streaming(
                build_command(self._paths, image, fresh=options.pull and options.build), env=dict(os.environ)
            )
        return compose_for(self.planner, plan.ports, self._stack).build(service, pull=options.pull)

    def _fit_volume(self, plan: Plan, options: PlanOptions, report: Report) -> bool:
        """Refuse a Postgres volume that does not fit the settings; True where it was cured, without a container now."""
        if volumes.SERVICE not in plan.services(*CHANGING, "keep"):
            return False
        guard = volumes.Guard(self.daemon, self.project, self._paths.backups, self._model[volumes.SERVICE].image)
        self._mismatch = guard.fit(self._stack, options.volume, report)
        return options.volume is not None

    def _unpause(self, names: Sequence[str]) -> None:
        for facts in self.containers().values():
            if facts.service in names and facts.state == "paused":
                self.daemon.unpause(facts.id)

    def _look(self) -> Seen:
        return Seen(
            docker_looks.judged(self.daemon, self.project.name),
            self._model,
            self.planner.jobs,
            self.log_tail,
            self._mismatch,
            self._anew,
            self._replaced,
            self._clock.wall,
        )

    def _each(
        self, names: Sequence[str], doing: str, done: str, work: Callable[[ContainerFacts], None], report: Report
    ) -> None:
        docker_looks.each(self.containers(), names, (doing, done), work, report)

    def _remember(self, plan: Plan) -> None:
        """Ports and profiles, and whose the project is: from the beginning, so that nothing is forgotten half-way."""
        self._save(replace(self._stack.with_ports(plan.ports), engine="docker"))

    def _remember_containers(self, plan: Plan) -> None:
        """What containers were made with, once they were made."""
        containers = self.containers()
        made = [
            name
            for name, facts in containers.items()
            if name in self._model and (name not in self._anew or (facts.created and facts.created >= self._clock.wall))
        ]
        read_again = [name for name in plan.services("restart", "start") if name in containers]
        launches = {name: docker_plan.applied(self._model[name], containers[name]) for name in {*made, *read_again}}
        now = replace(
            self._stack,
            launches={**self._stack.launches, **launches},
            variables=self.project.inputs(self._variables(plan)),
            images={**self._stack.images, **{name: containers[name].image_id for name in launches}},
        )
        self._save(now)

    def _save(self, now: stack.Stack) -> None:
        self._stack = now
        stack.save(self._paths.stack, now)
