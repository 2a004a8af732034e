"""The native engine: every service a process on this machine, under one supervisord per project."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dataflow.config.catalog import Catalog, closure, selected
from dataflow.config.environment import ensure_secrets, project_environment, tracked
from dataflow.config.marks import MARKER
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ServiceSpec
from dataflow.config.settings import Loaded
from dataflow.engines import log_files, native_logs, port_plan, probes, reservations, stack
from dataflow.engines.base import (
    Engine,
    Examined,
    Observation,
    Plan,
    PlanOptions,
    PortMove,
    Ports,
    Process,
    StartUp,
    Usage,
)
from dataflow.engines.carrier import Carrier
from dataflow.engines.launch import Filler, Launch, launch_of
from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.engines.native_carrier import NativeCarrier
from dataflow.engines.native_plan import plan_actions
from dataflow.engines.native_supervisor import Supervisor
from dataflow.engines.native_upgrader import NativeUpgrader, installed
from dataflow.engines.supervisor import Crash, configuration, crashes, is_loop, socket_path
from dataflow.engines.upgrader import Upgrader
from dataflow.errors import BackendError, DataflowError
from dataflow.events import Report, StepChanged, ignore
from dataflow.models import PortUse, ServiceState
from dataflow.system.files import mapped_os_errors, write_text
from dataflow.system.log_text import Stored
from dataflow.system.process import find_program, memory_of

_STATES: dict[str, ServiceState] = {
    "STOPPED": "stopped",
    "STARTING": "starting",
    "RUNNING": "running",
    "BACKOFF": "restarting",
    "STOPPING": "stopped",
    "EXITED": "failed",
    "FATAL": "crash-loop",
    "UNKNOWN": "failed",
}


class NativeEngine(Engine):
    """Services as processes. State lives in `.dataflow/run`, logs in `.dataflow/logs`."""

    name = "native"

    def __init__(self, paths: ProjectPaths, loaded: Loaded, catalog: Catalog) -> None:
        self._paths = paths
        self._loaded = loaded
        self._catalog = catalog
        longest = max((spec.native.stop_seconds for spec in catalog.values() if spec.native), default=10)
        self._supervisor = Supervisor(paths, longest)

    @cached_property
    def _stack(self) -> stack.Stack:
        return stack.load(self._paths.stack)

    @property
    def wanted(self) -> Catalog:
        """The services that the settings select, and those that a flag asked for until `down`."""
        return selected(self._catalog, self._loaded.settings, "native", self._stack.profiles)

    def observe(self) -> Observation:
        """What supervisord says; where it is gone, what it left behind."""
        try:
            infos = self._supervisor.processes()
        except BackendError:
            return Observation(alive=False, leftovers=tuple(self._supervisor.services_left()))
        past = crashes(self._paths.run / "supervisord.log", self._stack.asked)
        return Observation(True, {info["name"]: _process(info, past.get(info["name"], [])) for info in infos})

    def plan(self, observed: Observation, options: PlanOptions) -> Plan:
        """Compare what is wanted with what runs."""
        self._ask_for(options)
        specs = closure(self._catalog, options.only) if options.only else self.wanted
        ports, moved = self._assign(specs, observed)
        launches = self._launches(specs, self._stack.with_ports(ports))
        changed = self._changed_variables(ports)
        missing = {name: reason for name in specs if (reason := self.missing(name))}
        actions = plan_actions(
            specs, observed, launches, self._stack.launches, changed, missing, partial=bool(options.only)
        )
        return Plan("native", tuple(actions), ports, moved)

    def assign_ports(self, observed: Observation) -> tuple[Ports, tuple[PortMove, ...]]:
        """A service keeps its ports while it runs; the others get what is free."""
        return self._assign(self.wanted, observed)

    def reserve(self, observed: Observation, options: PlanOptions, report: Report) -> Plan:  # noqa: ARG002 - nothing to tell
        """The plan, with its ports kept for this project from now on."""
        before = self._stack.profiles
        with reservations.locked():
            plan = self.plan(observed, options)
            reservations.reserve(self._paths, plan.ports)
        if self._stack.profiles != before:
            self._remember(self._stack)
        return plan

    def apply(
        self,
        plan: Plan,
        options: PlanOptions,  # noqa: ARG002 - nothing of it is for processes
        report: Report,
        beat: Callable[[], None],  # noqa: ARG002 - it takes no time
    ) -> list[str]:
        """Write the configuration, bring supervisord up or up to date, start what is stopped."""
        if not plan.changes:
            return []
        self._prepare(report)
        observed = self.observe()
        running = set(plan.services("start", "restart", "keep"))
        running |= set(observed.processes) - set(plan.services("stop"))
        specs = {name: spec for name, spec in self._catalog.items() if name in running}
        remembered = self._stack.with_ports(plan.ports)
        launches = self._launches(specs, remembered)
        for launch in launches.values():
            _write_files(launch)
        write_text(self._paths.run / "supervisord.conf", configuration(self._paths, launches), mode=0o600)
        env = self._environment(remembered)
        variables = {name: stack.digest(value) for name, value in tracked(env, self._loaded).items()}
        fresh = not observed.alive or self._stack.variables != variables
        digests = {name: launch.digests() for name, launch in launches.items()}
        now = replace(remembered, launches=digests, variables=variables, engine="native", images=installed())
        self._remember(now.asked_for(plan.services("start", "restart")))
        probes.save(self._paths.run, probes.on_machine((specs[name] for name in launches), self.filler()))
        if fresh:
            self._supervisor.begin(env, report, restart=observed.alive or bool(observed.leftovers))
        else:
            self._supervisor.update(plan.services("start", "restart"))
        return []

    def finish(self, plan: Plan) -> tuple[StartUp, ...]:
        """Only who came up: supervisord measures nothing."""
        return tuple(StartUp(name) for name in plan.changing)

    def stop(self, names: Sequence[str], report: Report) -> None:
        """Stop services, dependants first."""
        for name in names:
            report(StepChanged(name, "started", "stopping"))
            self._supervisor.stop(name)
            report(StepChanged(name, "done", "stopped"))

    def restart(self, names: Sequence[str], report: Report) -> None:
        """Stop and start services."""
        self.stop(list(reversed(names)), ignore)
        self._remember(self._stack.asked_for(names))
        for name in names:
            self._supervisor.start(name)
            report(StepChanged(name, "done", "restarted"))

    def shut_down(self, report: Report, *, volumes: bool = False) -> int:
        """End everything that carries this project's marker, the supervised ones in good order."""
        number = self._supervisor.end_all(report)
        reservations.release(self._paths)
        if volumes:
            for folder in (self._paths.objects, self._paths.dagster_home):
                shutil.rmtree(folder, ignore_errors=True)
        if self._paths.stack.exists():
            self._remember(replace(self._stack, profiles=()))
        return number

    def environment(self) -> dict[str, str]:
        """The environment of the project's code."""
        return self._environment(self._stack)

    def worker_environment(self) -> dict[str, str]:
        """The same for a process that `down` must end too."""
        return {**self.environment(), MARKER: self._paths.stack_id}

    def ports(self) -> dict[str, tuple[PortUse, ...]]:
        """The remembered ports of every service."""
        known = self._stack.ports
        return {
            name: tuple(
                PortUse(port, known.get(name, {}).get(port, default), default) for port, default in spec.ports.items()
            )
            for name, spec in self._catalog.items()
        }

    def filler(self) -> Filler:
        """Fills `{{…}}` with the remembered ports."""
        return Filler(self._paths, self._catalog, self.ports())

    def write_files(self, service: str) -> None:
        """Write the files that a service reads, without starting it."""
        _write_files(self._launches({service: self._catalog[service]}, self._stack)[service])

    def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """Memory of each service's processes, without the runs they started."""
        pids = {
            name: process.pid for name, process in self.observe().processes.items() if process.pid and name in names
        }
        return {name: Usage(memory_of(pid)) for name, pid in pids.items()}

    def reaches(self, spec: ServiceSpec) -> bool:  # noqa: ARG002 - every port is one of this machine
        """Always."""
        return True

    def diagnose(self, names: Sequence[str]) -> DataflowError | None:  # noqa: ARG002 - the states say it
        """Nothing beyond what the states say."""
        return None

    def examine(self) -> dict[str, Examined]:
        """Nothing beyond what the states say."""
        return {}

    @property
    def upgrader(self) -> Upgrader:
        """Packages."""
        return NativeUpgrader(self._stack.images)

    @property
    def carrier(self) -> Carrier:
        """The run history's files."""
        self.write_files("dagster-code")
        return NativeCarrier(self.worker_environment())

    def code_command(self, command: Sequence[str], service: str | None) -> tuple[str, ...]:  # noqa: ARG002 - one machine
        """The command as it is: code runs on this machine."""
        return tuple(command)

    def log_read(self, service: str, scan: LogScan) -> Iterator[Stored]:
        """The service's log file and its rotated predecessors."""
        return log_files.read(service, self._log_file(service), scan)

    def log_mark(self) -> LogMark:
        """Where each service's log file ends now."""
        return log_files.mark(self._log_file(name) for name in self._catalog)

    def log_follow(self, services: Sequence[str], mark: LogMark) -> Iterator[Stored | None]:
        """Lines of several log files as they are written."""
        files = {self._log_file(name): name for name in services}
        return native_logs.follow(lambda: files, mark)

    def log_tail(self, service: str, lines: int) -> list[str]:
        """The last lines of the service's log."""
        found: list[str] = []
        for event in self.log_read(service, LogScan(newest_first=True)):
            found[:0] = event.text.split("\n")
            if len(found) >= lines:
                break
        return found[-lines:]

    def missing(self, service: str) -> str | None:
        """Why this machine cannot run the service, or nothing."""
        native = self._catalog[service].native
        if native is None:
            return "it has no native form: use --engine docker"
        return None if find_program(native.program) else f"its program '{native.program}' is not on PATH"

    def _ask_for(self, options: PlanOptions) -> None:
        profiles = tuple(dict.fromkeys([*self._stack.profiles, *options.profiles]))
        self._stack = replace(self._stack, profiles=profiles)

    def _assign(self, specs: Catalog, observed: Observation) -> tuple[Ports, tuple[PortMove, ...]]:
        kept = {name for name, seen in observed.processes.items() if seen.pid}
        others = reservations.of_others(self._paths)
        return port_plan.assign(specs, self._loaded.settings, self._stack.ports, kept, others)

    def _log_file(self, service: str) -> Path:
        return self._paths.logs / f"{service}.jsonl"

    def _environment(self, remembered: stack.Stack) -> dict[str, str]:
        specs = self._catalog
        s3 = remembered.ports.get("object-store", {}).get("s3") or specs["object-store"].ports["s3"]
        return project_environment(self._paths, self._loaded, s3)

    def _launches(self, specs: Mapping[str, ServiceSpec], remembered: stack.Stack) -> dict[str, Launch]:
        ports = {
            name: tuple(PortUse(port, number, number) for port, number in known.items())
            for name, known in remembered.ports.items()
        }
        fill = Filler(self._paths, self._catalog, ports)
        return {name: launch_of(spec, fill) for name, spec in specs.items() if not self.missing(name)}

    def _changed_variables(self, ports: Mapping[str, tuple[PortUse, ...]]) -> list[str]:
        before = self._stack.variables
        if not before:
            return []
        env = self._environment(self._stack.with_ports(ports))
        now = {name: stack.digest(value) for name, value in tracked(env, self._loaded).items()}
        return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))

    def _remember(self, now: stack.Stack) -> None:
        self._stack = now
        stack.save(self._paths.stack, now)

    def _prepare(self, report: Report) -> None:
        with mapped_os_errors(self._paths.state):
            for folder in (self._paths.run, self._paths.logs, self._paths.dagster_home):
                folder.mkdir(parents=True, exist_ok=True)
            socket_path(self._paths).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        ensure_secrets(self._paths, self._loaded, report)


def _write_files(launch: Launch) -> None:
    for folder in launch.folders:
        with mapped_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    for path, text in launch.files.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)


def _process(info: dict[str, Any], past: list[Crash]) -> Process:
    state = _STATES[info["statename"]]
    now = datetime.now(UTC)
    if state != "stopped" and is_loop(past, now):
        state = "crash-loop"
    times = "once" if len(past) == 1 else f"{len(past)} times"
    detail = f"ended {times}, last: {past[-1].how}" if past else info["spawnerr"] or ""
    began = datetime.fromtimestamp(info["start"], UTC) if info["start"] else None
    stopped = datetime.fromtimestamp(info["stop"], UTC) if info["stop"] else None
    return Process(state, began if info["pid"] else stopped or began, info["pid"] or None, len(past), detail)
