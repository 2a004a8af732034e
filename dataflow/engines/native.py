"""The native engine: every service a process on this machine, under one supervisord per project."""

from __future__ import annotations

import contextlib
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from dataflow.config.environment import ensure_secrets, project_environment, tracked
from dataflow.config.marks import MARKER, WORKER
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ServiceSpec, selected
from dataflow.config.settings import Loaded
from dataflow.engines import port_plan, reservations, stack
from dataflow.engines.base import Engine, Observation, Plan, Process
from dataflow.engines.launch import Filler, Launch, launch_of
from dataflow.engines.native_plan import closure, plan_actions
from dataflow.engines.supervisor import Client, Crash, configuration, crashes, is_loop, socket_path
from dataflow.errors import BackendError, NotHealthyError
from dataflow.events import Noted, Report, StepChanged, ignore
from dataflow.models import PortUse, ServiceState
from dataflow.system.files import mapped_os_errors, write_text
from dataflow.system.process import end, find_program, has_variable, marked, spawn
from dataflow.system.waiting import wait_until

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

    def __init__(self, paths: ProjectPaths, loaded: Loaded, catalog: Mapping[str, ServiceSpec]) -> None:
        self._paths = paths
        self._loaded = loaded
        self._catalog = dict(catalog)
        self._client = Client(socket_path(paths))

    @cached_property
    def _stack(self) -> stack.Stack:
        return stack.load(self._paths.stack)

    @property
    def wanted(self) -> dict[str, ServiceSpec]:
        """The services that the settings select."""
        return selected(self._catalog, self._loaded.settings)

    def observe(self) -> Observation:
        """What supervisord says; where it is gone, what it left behind."""
        try:
            infos: list[dict[str, Any]] = self._client.call("getAllProcessInfo")
        except BackendError:
            return Observation(alive=False, leftovers=tuple(self._services_left()))
        past = crashes(self._paths.run / "supervisord.log", self._stack.asked)
        return Observation(True, {info["name"]: _process(info, past.get(info["name"], [])) for info in infos})

    def plan(self, observed: Observation, only: Sequence[str] = ()) -> Plan:
        """Compare what is wanted with what runs."""
        specs = self.wanted
        specs = closure(self._catalog, only) if only else specs
        kept = {name for name, seen in observed.processes.items() if seen.pid}
        others = reservations.of_others(self._paths)
        ports, moved = port_plan.assign(specs, self._loaded.settings, self._stack.ports, kept, others)
        launches = self._launches(specs, self._stack.with_ports(ports))
        changed = self._changed_variables(ports)
        missing = {name: reason for name in specs if (reason := self.missing(name))}
        actions = plan_actions(specs, observed, launches, self._stack.launches, changed, missing, partial=bool(only))
        return Plan("native", tuple(actions), ports, moved)

    def reserve(self, observed: Observation, only: Sequence[str] = ()) -> Plan:
        """The plan, with its ports kept for this project from now on."""
        with reservations.locked():
            plan = self.plan(observed, only)
            reservations.reserve(self._paths, plan.ports)
        return plan

    def apply(self, plan: Plan, report: Report) -> None:
        """Write the configuration, bring supervisord up or up to date, start what is stopped."""
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
        now = stack.Stack(remembered.ports, digests, variables, remembered.asked)
        self._remember(now.asked_for(plan.services("start", "restart")))
        if fresh:
            self._start_supervisor(env, report, restart=observed.alive or bool(observed.leftovers))
        else:
            self._update_supervisor(plan)

    def stop(self, names: Sequence[str], report: Report) -> None:
        """Stop services, dependants first."""
        for name in names:
            report(StepChanged(name, "started", "stopping"))
            with _already("NOT_RUNNING"):
                self._client.call("stopProcess", name)
            report(StepChanged(name, "done", "stopped"))

    def restart(self, names: Sequence[str], report: Report) -> None:
        """Stop and start services."""
        self.stop(list(reversed(names)), ignore)
        self._remember(self._stack.asked_for(names))
        for name in names:
            with _already("ALREADY_STARTED"):
                self._client.call("startProcess", name, False)
            report(StepChanged(name, "done", "restarted"))

    def shut_down(self, report: Report) -> int:
        """End everything that carries this project's marker, the supervised ones in good order."""
        ours = marked(MARKER, self._paths.stack_id)
        if ours and self._client.alive():
            report(StepChanged("platform", "started", "stopping"))
            with contextlib.suppress(BackendError):
                self._client.call("stopAllProcesses", False)  # all at once: shutdown alone goes one by one
                self._client.call("shutdown")
            longest = max((spec.native.stop_seconds for spec in self._catalog.values() if spec.native), default=10)
            wait_until(lambda: self._services_left() != [], lambda left: not left, timeout=longest + 5)
        left = marked(MARKER, self._paths.stack_id)
        killed = end(left, grace=5) if left else []
        if killed:
            report(Noted(f"{len(killed)} processes did not end when asked and were killed.", warning=True))
        self._clean_run_folder()
        return len(ours)

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

    def log_file(self, service: str) -> Path:
        """The service's log."""
        return self._paths.logs / f"{service}.jsonl"

    def log_tail(self, service: str, lines: int) -> list[str]:
        """The last lines of the service's log."""
        path = self._paths.logs / f"{service}.jsonl"
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
        except FileNotFoundError:
            return []

    def missing(self, service: str) -> str | None:
        """Why this machine cannot run the service, or nothing."""
        native = self._catalog[service].native
        if native is None:
            return "it has no native form: use --engine docker"
        return None if find_program(native.program) else f"its program '{native.program}' is not on PATH"

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

    def _start_supervisor(self, env: dict[str, str], report: Report, *, restart: bool) -> None:
        """A new supervisord under a new keeper; what an earlier one left behind is ended first."""
        if restart:
            report(Noted("Ending what runs from before, to start it anew."))
            with contextlib.suppress(BackendError):
                self._client.call("shutdown")
            wait_until(self._services_left, lambda left: not left, timeout=20)
            end(self._services_left(), grace=5)
        self._clean_run_folder()
        command = [str(shutil.which("python", path=env["PATH"])), "-m", "dataflow.engines.keeper"]
        log = self._paths.logs / "supervisor.log"
        spawn(
            [*command, str(self._paths.run / "supervisord.conf")],
            env={**env, MARKER: self._paths.stack_id},
            cwd=self._paths.root,
            log=log,
        )
        up, _ = wait_until(self._client.alive, bool, timeout=30, interval=0.05)
        if not up:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            raise NotHealthyError("supervisord did not start.", code="SUPERVISOR_DOWN", hint=tail)

    def _update_supervisor(self, plan: Plan) -> None:
        """Bring a running supervisord to the new configuration, touching only what changed."""
        (added, changed, removed), *_ = self._client.call("reloadConfig")
        for name in [*removed, *changed]:
            self._client.call("stopProcessGroup", name)
            self._client.call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._client.call("addProcessGroup", name)
        for name in plan.services("start", "restart"):
            if name not in {*changed, *added}:
                with _already("ALREADY_STARTED"):
                    self._client.call("startProcess", name, False)

    def _services_left(self) -> list[int]:
        """Living processes of this platform that are not runs of workflows."""
        return [pid for pid in marked(MARKER, self._paths.stack_id) if not has_variable(pid, WORKER)]

    def _clean_run_folder(self) -> None:
        for path in (
            socket_path(self._paths),
            self._paths.run / "supervisord.pid",
            self._paths.run / "supervisord.log",
        ):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _already(fault: str) -> Any:
    """Asking for a state that is there already is fine."""
    try:
        yield
    except BackendError as error:
        if fault not in error.message:
            raise


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
