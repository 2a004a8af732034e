"""Why the platform did not come up: from what the engine refused, or from the first service that is not as it should.

The engine's refusals are free text; the patterns here are those of Docker 24 to 29 and Compose 2 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dataflow.engines.base import Examined
from dataflow.engines.compose import failed
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.model import Model
from dataflow.engines.volumes import SERVICE, Mismatch, refusal
from dataflow.errors import Action, DataflowError, MissingError, NotHealthyError, OperationFailedError

_LAST_LINES = 8
_PASSWORD = "password authentication failed"  # noqa: S105 - Postgres's words


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to judge by: the containers by service, the project, who runs once, and who can read logs.

    `anew`: services that are started anew since `since`; what their containers did before says nothing. `replaced`:
    those of them that get another container: the old one, while it is there, may even start again by itself.
    `blamed`: containers that Compose gave up on, by name; one that was unhealthy then may start again by now.
    """

    containers: dict[str, ContainerFacts]
    model: Model
    jobs: set[str]
    log: Callable[[str, int], list[str]]
    mismatch: Mismatch | None = None
    anew: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    since: datetime | None = None
    blamed: frozenset[str] = frozenset()

    def concerns(self, name: str) -> ContainerFacts | None:
        """The container of a service, once it is the one to judge."""
        facts = self.containers.get(name)
        if facts and name in self.anew and self.since:
            began = facts.created if name in self.replaced else facts.started
            return facts if began and began >= self.since else None
        return facts


def refused(text: str) -> DataflowError | None:
    """The error for what the engine said when it would not do something; None where it says nothing known."""
    for pattern, make in _REFUSALS:
        if found := re.search(pattern, text, re.IGNORECASE):
            return make(found)
    return None


def broken(names: Sequence[str], seen: Seen) -> NotHealthyError | OperationFailedError | DataflowError | None:
    """The first of the services, dependencies first, that has failed for good; None while all may still come up."""
    for name in names:
        facts = seen.concerns(name)
        if facts and (error := _judge(name, facts, seen)):
            return error
    return None


def not_in_time(name: str, facts: ContainerFacts | None, seen: Seen, timeout: float) -> NotHealthyError:
    """The error for a service that is not healthy after `timeout` seconds."""
    said = facts.last_probe if facts else ""
    state = facts.state if facts else "not there"
    words = f"its health check says: {said}" if said else f"it is {state}"
    return _not_healthy(name, "NOT_HEALTHY", f"{name} was not healthy within {timeout:g} seconds: {words}.", seen)


def blamed(text: str) -> frozenset[str]:
    """The containers that Compose's words name as what it did not want to wait for any longer."""
    return frozenset(re.findall(r"dependency failed to start: container (\S+) ", text))


def examined(containers: Mapping[str, ContainerFacts], misfit: Mismatch | None) -> dict[str, Examined]:
    """What the containers tell of each service; `misfit` is of the volume of Postgres."""
    found = {
        name: Examined(
            facts.exit_code if facts.state in {"exited", "restarting", "dead"} or facts.restarts else None,
            facts.out_of_memory,
            facts.last_probe if facts.running else "",
            facts.error,
        )
        for name, facts in containers.items()
    }
    if misfit:
        known = found.get(SERVICE, Examined())
        found[SERVICE] = replace(known, misfit=misfit.kind, volume=misfit.volume.name)
    return found


def unknown(lines: Sequence[str]) -> OperationFailedError:
    """Compose failed, and nothing above tells why."""
    return failed("\n".join(lines))


def _judge(name: str, facts: ContainerFacts, seen: Seen) -> DataflowError | None:
    crashed = facts.state in {"restarting", "dead"} or (facts.state == "running" and facts.health != "healthy")
    if facts.out_of_memory:
        message = f"{name} ran out of memory and was killed."
        variable = f"DATAFLOW_SERVICES_{name.upper().replace('-', '_')}_MEMORY"
        more = Action("Allow it more", f"{variable}=2g dataflow up")
        return _not_healthy(name, "OUT_OF_MEMORY", message, seen, more)
    if facts.state == "exited" and name in seen.jobs:
        failed_job = f"The job {name} failed with exit code {facts.exit_code}."
        return _not_healthy(name, "JOB_FAILED", failed_job, seen) if facts.exit_code else None
    if facts.state == "exited" and (facts.exit_code or facts.error):
        message = f"{name} ended at its start with exit code {facts.exit_code}{_because(facts)}."
        return _not_healthy(name, "SERVICE_CRASHED", message, seen)
    if crashed and facts.restarts >= (1 if facts.name in seen.blamed else 3):
        times = f"{facts.restarts} time{'s' if facts.restarts > 1 else ''}"
        code = f"exit code {facts.exit_code}, " if facts.exit_code else ""
        message = f"{name} keeps ending: {code}restarted {times}{_because(facts)}."
        return _not_healthy(name, "SERVICE_CRASHED", message, seen)
    # A container that is being stopped is called unhealthy, too, whatever its last check said.
    unhealthy = facts.health == "unhealthy" and facts.probes and facts.probes[-1].code
    if unhealthy or (facts.health == "starting" and _PASSWORD in facts.last_probe):
        if _PASSWORD in facts.last_probe and seen.mismatch:
            return refusal(seen.mismatch)
        message = f"{name} is unhealthy; its health check says: {facts.last_probe or 'nothing'}."
        return _not_healthy(name, "NOT_HEALTHY", message, seen)
    return None


def _because(facts: ContainerFacts) -> str:
    return f" ({facts.error})" if facts.error else ""


def _not_healthy(name: str, code: str, message: str, seen: Seen, *more: Action) -> NotHealthyError:
    lines = seen.log(name, _LAST_LINES)
    hint = "Its last lines:\n" + "\n".join(lines) if lines else "It wrote nothing to its log."
    waiting = sorted(
        other for other, service in seen.model.items() if name in service.depends and other in seen.containers
    )
    if waiting:
        hint = f"{', '.join(waiting)} wait for it.\n{hint}"
    actions = (
        *more,
        Action("See why", f"dataflow why {name}"),
        Action("Read its log", f"dataflow logs {name} --tail 50"),
    )
    if code == "NOT_HEALTHY":
        actions += (Action("Allow more time", "dataflow up --timeout 300"),)
    return NotHealthyError(message, code=code, hint=hint, actions=actions, retryable=True)


def _port_taken(found: re.Match[str]) -> DataflowError:
    message = f"Port {found['port']} was taken while the platform started."
    hint = "Another program was faster; a new attempt takes the next free port."
    actions = (Action("Try again", "dataflow up"), Action("See who holds it", f"ss -ltnp sport = :{found['port']}"))
    return MissingError(message, code="PORT_TAKEN", hint=hint, actions=actions, retryable=True)


def _no_image(found: re.Match[str]) -> DataflowError:
    message = "An image is not there and cannot be had."
    actions = (Action("Try to fetch it again", "dataflow up --pull"),)
    return MissingError(message, code="IMAGE_MISSING", hint=found[0], actions=actions, retryable=True)


def _disk_full(found: re.Match[str]) -> DataflowError:
    actions = (
        Action("See what Docker keeps", "docker system df"),
        Action("Remove what nothing uses", "docker system prune"),
    )
    message = "The disk of the Docker Engine is full."
    return OperationFailedError(message, code="DISK_FULL", hint=found[0], actions=actions, retryable=True)


def _name_taken(found: re.Match[str]) -> DataflowError:
    return name_taken(found["name"].lstrip("/"))


def name_taken(name: str) -> MissingError:
    """A container that is not ours has the name of one of ours. It is never removed."""
    message = f"A container that does not belong to this project is called {name}."
    actions = (
        Action("See what it is", f"docker inspect {name}"),
        Action("Give it another name", f"docker rename {name} NAME"),
    )
    return MissingError(message, code="NAME_TAKEN", hint="It was left alone.", actions=actions)


def _no_init(found: re.Match[str]) -> DataflowError:
    message = "The Docker Engine lacks its `docker-init` program, which lets containers end at once."
    actions = (
        Action(
            "Install it (Debian)",
            "sudo apt-get install tini && sudo ln -s /usr/bin/tini-static /usr/local/bin/docker-init",
        ),
    )
    return MissingError(message, code="ENGINE_BROKEN", hint=found[0], actions=actions)


def _engine_gone(found: re.Match[str]) -> DataflowError:
    message = "The Docker Engine stopped answering while the platform started."
    actions = (Action("Start it (Linux)", "sudo systemctl start docker"), Action("Then go on", "dataflow up"))
    return MissingError(message, code="ENGINE_DOWN", hint=found[0], actions=actions, retryable=True)


_REFUSALS: tuple[tuple[str, Callable[[re.Match[str]], DataflowError]], ...] = (
    (r"Bind for \S*?:(?P<port>\d+) failed: port is already allocated", _port_taken),
    (r"failed to bind host port (?:for )?[\d.]+:(?P<port>\d+)\S*: address already in use", _port_taken),
    (r"(?:listen|bind)\S* \S+ \S*?:(?P<port>\d+): (?:bind: )?address already in use", _port_taken),
    (r'container name "(?P<name>[^"]+)" is already in use', _name_taken),
    (r"no space left on device.*", _disk_full),
    (r'exec: "docker-init": .*', _no_init),
    (r"No such image: \S+|pull access denied for \S+|manifest (?:for \S+ )?(?:not found|unknown).*", _no_image),
    (
        r"Cannot connect to the Docker daemon.*|error during connect.*|unexpected EOF.*|connection (?:refused|reset).*",
        _engine_gone,
    ),
)
