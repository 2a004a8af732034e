"""Why one service is not as it should be: recognisers, the surest first."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace

from dataflow.engines.base import Examined
from dataflow.engines.port_plan import PortTakenError, holder_words
from dataflow.errors import Action, DataflowError
from dataflow.models import ServiceStatus
from dataflow.operations.causes.looked import Looked
from dataflow.operations.causes.model import MOST_ACTIONS, Fact, Problem, Subject
from dataflow.operations.causes.texts import LINES_READ, bad_lines, line_with, service_cause
from dataflow.operations.services import is_good
from dataflow.system.ports import is_free

_AUDIT_LINES = 500
_PORT = re.compile(r":(\d{2,5})\b")
_FAILING = {"crash-loop", "failed", "restarting"}
_ANEW = {"recreate", "restart"}
_LITTLE = 100 << 20  # bytes; less is no room


def service_problem(looked: Looked, name: str) -> Problem:
    """What is wrong with a service that is a cause itself, with its evidence."""
    return _Case(looked, name).problem()


class _Case:
    """All that is known of one service."""

    def __init__(self, looked: Looked, name: str) -> None:
        self.looked = looked
        self.name = name
        self.status: ServiceStatus = looked.services[name]
        self.examined = looked.examined.get(name, Examined())
        self.notes: list[str] = []
        self.lines = self._log() if self.status.state not in {"unavailable", "unknown"} else []
        self.said = "\n".join((self.status.detail, self.examined.probe, self.examined.error))

    def problem(self) -> Problem:
        """The first recogniser that knows."""
        ways = (self._misfit, self._unavailable, self._memory, self._refused, self._told, self._at_rest, self._failing)
        return next(found for way in ways if (found := way()))

    def _misfit(self) -> Problem | None:
        """A volume that was made with another password or version."""
        if self.examined.misfit is None:
            return None
        volume = Fact("volume", self.examined.volume)
        recreate = Action("Or begin with an empty one; a copy is kept", "dataflow up --stale-volume recreate")
        if self.examined.misfit == "major":
            cure = Action("Carry the data over", "dataflow up --stale-volume migrate")
            words = "The volume was made by another major version of Postgres than the image's."
            return self._made("volume-version", words, (cure, recreate), volume)
        cure = Action("Give it the password of now", "dataflow up --stale-volume alter")
        changed = Fact("changed", "DATAFLOW_POSTGRES_PASSWORD, since Postgres made the volume")
        words = "The volume of Postgres was made with another DATAFLOW_POSTGRES_PASSWORD than the one now."
        return self._made("bad-password", words, (cure, recreate), volume, changed)

    def _unavailable(self) -> Problem | None:
        if self.status.state != "unavailable":
            return None
        why = self.status.detail
        if self.looked.context.choice.name == "docker":
            actions = (Action("Try to fetch it again", "dataflow up --pull"),)
            return self._made("image-missing", f"The image of {self.name} is not here and cannot be had.", actions)
        other = Action("Use containers", "dataflow up --engine docker")
        if "native form" in why:
            return self._made("no-native-form", f"Only the docker engine has {self.name}.", (other,))
        words = f"The program of {self.name} is missing: {why}."
        return self._made(
            "program-missing", words, (Action("After installing it", f"dataflow start {self.name}"), other)
        )

    def _memory(self) -> Problem | None:
        if not self.examined.out_of_memory:
            return None
        variable = f"DATAFLOW_SERVICES_{self.name.upper().replace('-', '_')}_MEMORY"
        more = Action("Allow it more", f"{variable}=2g dataflow up")
        return self._made("out-of-memory", f"{self.name} used more memory than it may and was killed.", (more,))

    def _refused(self) -> Problem | None:
        """Its configured port is held: `up` cannot start it."""
        refused = self.looked.refused
        if not isinstance(refused, PortTakenError) or refused.service != self.name:
            return None
        holder = Fact(f"port {refused.port}", f"held by {refused.holder}")
        return self._made("port-taken", refused.message, refused.actions, holder)

    def _told(self) -> Problem | None:
        """What its own words, or the engine's, tell. An old log says nothing of one that somebody stopped."""
        failing = self.status.state in _FAILING or self.status.health == "unhealthy" or bool(self.examined.probe)
        lines = [*(self.lines if failing else []), *self.said.splitlines()]
        cause = service_cause("\n".join(lines))
        line = line_with(cause, lines) if cause else ""
        match cause:
            case "port-taken":
                return self._port_taken(line)
            case "disk-full":
                actions = (Action("See what is free", "df -h"), Action("Then", f"dataflow restart {self.name}"))
                return self._made(cause, f"{self.name} cannot write: no space is left.", actions, *disk(self.looked))
            case "bad-password":
                words = f"{self.name} is refused: its password is not the one that Postgres knows."
                actions = (
                    Action("Give Postgres the password of now", "dataflow up --stale-volume alter"),
                    Action("See where the password comes from", "dataflow config show --origin"),
                )
                return self._made(cause, words, actions, Fact("it says", line.strip()))
            case "out-of-memory":
                return self._made(cause, f"{self.name} ran out of memory.", (self._read_log(),), Fact("it says", line))
            case _:
                return None

    def _port_taken(self, line: str) -> Problem:
        """Who holds the ports that it wants, beside itself."""
        own = {use.number for use in self.status.ports} | {int(number) for number in _PORT.findall(line)}
        held = [(port, words) for port in sorted(own) if not is_free(port) and (words := self._holder(port))]
        facts = [Fact(f"port {port}", f"held by {words}") for port, words in held]
        who = f"port {held[0][0]} is held by {held[0][1]}" if held else "another program held its port"
        actions = [Action("Move it to a free port", f"dataflow start {self.name}"), self._read_log()]
        if held and (pid := re.search(r"\(pid (\d+)\)", held[0][1])):
            actions.insert(0, Action("Stop that program", f"kill {pid[1]}"))
        return self._made("port-taken", f"{self.name} cannot start: {who}.", tuple(actions), *facts)

    def _holder(self, port: int) -> str:
        words = holder_words(port)
        return "" if self.status.pid and f"(pid {self.status.pid})" in words else words

    def _at_rest(self) -> Problem | None:
        """Stopped, never started, paused, or still on its way."""
        start = Action("Start it", f"dataflow start {self.name}")
        match self.status.state:
            case "stopped":
                stop = self._last_stop()
                if self.name not in self.looked.observed.processes:
                    return self._made("not-started", f"{self.name} was not started.", (start,))
                words = f"{self.name} was stopped by hand." if stop else f"{self.name} is stopped."
                return self._made("stopped", words, (start,), *stop)
            case "paused":
                return self._made("paused", f"The container of {self.name} is paused.", (start,))
            case "starting":
                watch = Action("Watch it come up", "dataflow status --watch")
                return self._made("starting", f"{self.name} is still on its way up.", (watch, self._read_log()))
            case _:
                return None

    def _failing(self) -> Problem:
        """It fails, and nothing above says of what: what was checked is told, too."""
        again = Action("Start it again", f"dataflow restart {self.name}")
        spec = self.looked.context.catalog.get(self.name)
        last = self.lines[-1].strip() if self.lines else ""
        code = "" if self.examined.exit_code is None else f" with exit code {self.examined.exit_code}"
        if spec and spec.job and self.status.state == "failed":
            cause, words = "job-failed", f"The job {self.name} failed{code}."
        elif self.status.state in _FAILING:
            cause = "crash-loop" if self.status.state != "failed" or self.status.restarts else "unknown"
            words = f"{self.name} {'keeps ending' if cause == 'crash-loop' else 'ended'}{code}"
            words += f": {self.status.detail}." if self.status.detail and not code else "."
        elif self.status.health == "unhealthy":
            cause, words = "unhealthy", f"{self.name} runs, but does not answer as it should."
        else:
            cause, words = "unknown", f"{self.name} is {self.status.state}, and nothing known fits."
        if cause == "crash-loop" and last:
            words = f"{words[:-1]}; its last words: {last[:100]}"
        made = self._made(cause, words, (self._read_log(), again))
        return replace(made, ruled_out=tuple(self._ruled_out()))

    def _ruled_out(self) -> Iterator[str]:
        spec = self.looked.context.catalog.get(self.name)
        depends = [name for name in (spec.depends if spec else ()) if name in self.looked.services]
        good = [name for name in depends if is_good(self.looked.services[name])]
        if good:
            yield f"what it depends on is well: {', '.join(good)}"
        elif not depends:
            yield "it depends on no other service"
        if self.looked.context.choice.name == "docker":
            yield "memory: it was not killed for using too much"
            yield "its image is here"
        if self.lines:
            what = "a taken port, a full disk, a wrong password or too little memory"
            yield f"its last {len(self.lines)} log lines do not tell of {what}"
        else:
            yield "its log is empty"
        free = shutil.disk_usage(self.looked.context.paths.root).free
        if free > _LITTLE:
            yield f"disk: {free / 1e9:.1f} GB are free"
        if self.looked.plan and not self._changed():
            yield "its settings are those it was started with"

    def _made(self, cause: str, summary: str, actions: tuple[Action, ...], *facts: Fact) -> Problem:
        """A problem of this service, with the facts that belong to every one."""
        state = f"{self.status.state}, {self.status.health}" if self.status.state == "running" else self.status.state
        told = [
            Fact("state", f"{state}; {self.status.detail}" if self.status.detail else state, time=self.status.since)
        ]
        if self.examined.probe:
            told.append(Fact("health check", self.examined.probe))
        if self.examined.exit_code is not None:
            told.append(Fact("exit code", str(self.examined.exit_code)))
        if self.examined.error:
            told.append(Fact("engine", self.examined.error))
        if changed := self._changed():
            told.append(Fact("changed since", changed))
        noted = [Fact("not looked at", note) for note in self.notes]
        quiet = {"stopped", "not-started", "paused", "image-missing", "program-missing", "no-native-form"}
        lines = () if cause in quiet else bad_lines(self.name, self.lines)
        evidence = (*facts, *told, *noted, *lines)
        return Problem(Subject("service", self.name), cause, summary, evidence, actions=actions[:MOST_ACTIONS])

    def _changed(self) -> str:
        """What of its configuration is another than when it was started; the plan knows it by name."""
        actions = self.looked.plan.actions if self.looked.plan else ()
        return next((one.cause for one in actions if one.service == self.name and one.verb in _ANEW), "")

    def _last_stop(self) -> tuple[Fact, ...]:
        """The command that stopped it, from the audit."""
        try:
            lines = self.looked.context.paths.audit.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        for line in reversed(lines[-_AUDIT_LINES:]):
            try:
                entry = json.loads(line)
                mine = self.name in str(entry["detail"]).split()
                if entry["operation"] in {"up", "restart"} and (mine or not entry["detail"]):
                    return ()
                if entry["operation"] == "stop" and mine:
                    return (Fact("stopped by", f"{entry['actor']} with `dataflow stop` at {entry['timestamp']}"),)
            except (ValueError, KeyError, TypeError):
                continue
        return ()

    def _log(self) -> list[str]:
        try:
            return self.looked.context.engine.log_tail(self.name, LINES_READ)
        except DataflowError as error:
            self.notes.append(f"its log: {error.message}")
            return []

    def _read_log(self) -> Action:
        return Action("Read its log", f"dataflow logs {self.name} --tail 50")


def disk(looked: Looked) -> tuple[Fact, ...]:
    """How full the disk of the project is."""
    root = looked.context.paths.root
    usage = shutil.disk_usage(root)
    return (Fact("disk", f"{usage.free / 1e6:.1f} MB of {usage.total / 1e9:.1f} GB are free at {root}"),)
