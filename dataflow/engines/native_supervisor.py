"""Drive supervisord: begin it under its keeper, bring it up to date, start, stop, and end everything."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from dataflow.config.marks import MARKER, WORKER
from dataflow.config.paths import ProjectPaths
from dataflow.engines.supervisor import Client, socket_path
from dataflow.errors import BackendError, NotHealthyError
from dataflow.events import Noted, Report, StepChanged
from dataflow.system.process import end, has_variable, marked, spawn
from dataflow.system.waiting import wait_until


class Supervisor:
    """A project's supervisord. `longest_stop`: seconds that the slowest service may take to end."""

    def __init__(self, paths: ProjectPaths, longest_stop: float) -> None:
        self._paths = paths
        self._longest_stop = longest_stop
        self._client = Client(socket_path(paths))

    def processes(self) -> list[dict[str, Any]]:
        """What supervisord says of each service. Raises BackendError where it is gone."""
        infos: list[dict[str, Any]] = self._client.call("getAllProcessInfo")
        return infos

    def services_left(self) -> list[int]:
        """Living processes of this platform that are not runs of workflows."""
        return [pid for pid in marked(MARKER, self._paths.stack_id) if not has_variable(pid, WORKER)]

    def begin(self, env: Mapping[str, str], report: Report, *, restart: bool) -> None:
        """A new supervisord under a new keeper; what an earlier one left behind is ended first.

        Raises:
            NotHealthyError: SUPERVISOR_DOWN.
        """
        if restart:
            report(Noted("Ending what runs from before, to start it anew."))
            with contextlib.suppress(BackendError):
                self._client.call("shutdown")
            wait_until(self.services_left, lambda left: not left, timeout=20)
            end(self.services_left(), grace=5)
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

    def update(self, names: Sequence[str]) -> None:
        """Bring a running supervisord to its new configuration, touching only what changed, and start services."""
        (added, changed, removed), *_ = self._client.call("reloadConfig")
        self._await_end([*removed, *changed, *names])
        for name in [*removed, *changed]:
            self._client.call("stopProcessGroup", name, False)
        self._await_end([*removed, *changed])
        for name in [*removed, *changed]:
            self._client.call("removeProcessGroup", name)
        for name in [*changed, *added]:
            self._client.call("addProcessGroup", name)
        for name in names:
            if name not in {*changed, *added}:
                self.start(name)

    def start(self, name: str) -> None:
        """Start a service; nothing where it runs."""
        with _already("ALREADY_STARTED"):
            self._client.call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a service, and wait until it has ended."""
        with _already("NOT_RUNNING"):
            self._client.call("stopProcess", name, False)  # a call ends sooner than some services do
        self._await_end([name])

    def end_all(self, report: Report) -> int:
        """End everything that carries the project's marker, the supervised ones in good order; how many there were."""
        ours = marked(MARKER, self._paths.stack_id)
        if ours and self._client.alive():
            report(StepChanged("platform", "started", "stopping"))
            with contextlib.suppress(BackendError):
                self._client.call("stopAllProcesses", False)  # all at once: shutdown alone goes one by one
                self._client.call("shutdown")
            wait_until(lambda: self.services_left() != [], lambda left: not left, timeout=self._longest_stop + 5)
        left = marked(MARKER, self._paths.stack_id)
        killed = end(left, grace=5) if left else []
        if killed:
            report(Noted(f"{len(killed)} processes did not end when asked and were killed.", warning=True))
        self._clean_run_folder()
        return len(ours)

    def _await_end(self, names: Sequence[str]) -> None:
        """Wait for services that are on their way out: supervisord loses a start that comes before their end."""

        def ending() -> bool:
            return any(info["statename"] == "STOPPING" for info in self.processes() if info["name"] in names)

        if names:
            wait_until(ending, lambda still: not still, timeout=self._longest_stop + 5, interval=0.05)

    def _clean_run_folder(self) -> None:
        run = self._paths.run
        for path in (socket_path(self._paths), run / "supervisord.pid", run / "supervisord.log"):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _already(fault: str) -> Any:
    """Asking for a state that is there already is fine."""
    try:
        yield
    except BackendError as error:
        if fault not in error.message:
            raise
