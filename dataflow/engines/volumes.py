"""The guard of the Postgres volume: a volume keeps the password and the major version that it was made with.

What does not fit is told before anything starts, with three ways out: alter the password inside, migrate to the new
major, or recreate the volume. Before a volume goes, everything in it is packed into `.dataflow/backups/`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dataflow.engines import postgres
from dataflow.engines.daemon import Daemon, Volume
from dataflow.engines.docker_project import DockerProject
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.stack import Stack, digest
from dataflow.errors import Action, ConfigurationError
from dataflow.events import Noted, Report, StepChanged

SERVICE = postgres.SERVICE
VOLUME = "postgres"
Cure = Literal["alter", "migrate", "recreate"]
_CURES: dict[str, set[Cure]] = {"password": {"alter", "recreate"}, "major": {"migrate", "recreate"}}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What of a volume does not fit: the password, or the major version it was made with and the one wanted."""

    kind: Literal["password", "major"]
    volume: Volume
    made_with: str = ""
    wanted: str = ""


def major_of(image: str) -> str:
    """The major version in an image's tag: 17 for postgres:17-bookworm; empty where it tells none."""
    tag = image.partition("@")[0].rpartition(":")[2]
    digits = tag.split("-")[0].split(".")[0]
    return digits if digits.isdecimal() else ""


def check(
    daemon: Daemon, volume: Volume | None, known: Mapping[str, str], password: str, image: str
) -> Mismatch | None:
    """What does not fit. A volume that nothing is remembered of is looked into, which takes half a second.

    Its password can only be tried once Postgres runs; the health check of the service does that.
    """
    if volume is None:
        return None
    same = known.get("created") == volume.created
    major = known["major"] if same else _major_inside(daemon, volume, image)
    wanted = major_of(image)
    if major and wanted and major != wanted:
        return Mismatch("major", volume, major, wanted)
    if same and known["password"] != digest(password):
        return Mismatch("password", volume)
    return None


def remembered_misfit(daemon: Daemon, project: DockerProject, stack: Stack, image: str) -> Mismatch | None:
    """What does not fit, told from memory alone; None also for a volume that nothing is remembered of."""
    known = stack.volumes.get(VOLUME)
    volume = _volume(daemon, project, stack) if known else None
    if volume is None or known is None or known.get("created") != volume.created:
        return None
    return check(daemon, volume, known, project.password, image)


def refusal(mismatch: Mismatch) -> ConfigurationError:
    """The error that explains a mismatch and offers what can be done about it."""
    recreate = Action("Or begin with an empty one; a copy is kept", "dataflow up --stale-volume recreate")
    if mismatch.kind == "password":
        message = (
            f"The volume {mismatch.volume.name} was made with another DATAFLOW_POSTGRES_PASSWORD than the one now."
        )
        hint = "Postgres keeps the password of its first start; .env or the environment has changed since."
        alter = Action("Give it the password of now", "dataflow up --stale-volume alter")
        return ConfigurationError(message, code="VOLUME_PASSWORD", hint=hint, actions=(alter, recreate))
    message = (
        f"The volume {mismatch.volume.name} was made by Postgres {mismatch.made_with}; the image is {mismatch.wanted}."
    )
    hint = "One major version cannot read another's files."
    migrate = Action("Carry the data over", "dataflow up --stale-volume migrate")
    return ConfigurationError(message, code="VOLUME_VERSION", hint=hint, actions=(migrate, recreate))


def records(
    daemon: Daemon, project: DockerProject, stack: Stack, containers: Mapping[str, ContainerFacts]
) -> dict[str, dict[str, str]]:
    """What to remember of the volume, known once Postgres is healthy on it with our password."""
    facts, volume = containers.get(SERVICE), _volume(daemon, project, stack)
    if volume is None or facts is None or facts.health != "healthy":
        return {}
    made_with = {"created": volume.created, "password": digest(project.password), "major": major_of(facts.image)}
    return {VOLUME: made_with}


class Guard:
    """Looks at the volume before Postgres starts on it, and carries out what the user chose where it does not fit."""

    def __init__(self, daemon: Daemon, project: DockerProject, backups: Path, image: str) -> None:
        self._daemon = daemon
        self._project = project
        self._backups = backups
        self._image = image

    def fit(self, stack: Stack, cure: Cure | None, report: Report) -> Mismatch | None:
        """Make the volume fit. Gives what may still turn out not to: the password of a volume nothing is known of.

        Raises:
            ConfigurationError: VOLUME_PASSWORD, VOLUME_VERSION; it does not fit, and nobody chose what to do.
            OperationFailedError: POSTGRES_FAILED.
        """
        volume = _volume(self._daemon, self._project, stack)
        if volume is None:
            return None
        unsure = Mismatch("password", volume)
        known = stack.volumes.get(VOLUME, {})
        found = check(self._daemon, volume, known, self._project.password, self._image)
        if cure and found is None:
            found = unsure
        if found is None:
            return unsure
        if cure is None:
            raise refusal(found)
        for facts in self._daemon.project(self._project.name):
            if facts.service == SERVICE:
                self._daemon.stop(facts.id)
                self._daemon.remove(facts.id)
        Treatment(self._daemon, self._project.name, self._image, self._project.password, self._backups).carry_out(
            found, cure, report
        )
        return None


class Treatment:
    """Makes a volume fit that nobody uses meanwhile. A copy of one that goes is kept in `backups`."""

    def __init__(self, daemon: Daemon, project: str, image: str, password: str, backups: Path) -> None:
        self._daemon = daemon
        self._project = project
        self._image = image
        self._password = password
        self._backups = backups

    def carry_out(self, mismatch: Mismatch, cure: Cure, report: Report) -> None:
        """Do what the user chose.

        Raises:
            ConfigurationError: VOLUME_PASSWORD, VOLUME_VERSION; the cure is for the other kind of mismatch.
            OperationFailedError: POSTGRES_FAILED, with Postgres's words; the volume is as it was, or its copy is kept.
        """
        if cure not in _CURES[mismatch.kind]:
            raise refusal(mismatch)
        report(StepChanged(SERVICE, "started", f"volume: {cure}"))
        began, volume = time.monotonic(), mismatch.volume.name
        match cure:
            case "alter":
                with postgres.server(self._daemon, self._image, volume, self._password) as container:
                    postgres.set_password(self._daemon, container, self._password)
            case "migrate":
                self._migrate(mismatch, report)
            case "recreate":
                self._keep_copy(volume, report)
                self._daemon.remove_volume(volume)
        report(StepChanged(SERVICE, "done", f"volume: {cure}", time.monotonic() - began))

    def _migrate(self, mismatch: Mismatch, report: Report) -> None:
        """With the old version out of the old volume, with the new one into a new volume."""
        volume = mismatch.volume.name
        dumped = self._backups / f"{volume}-{_now()}-databases.tar"
        old = self._image.replace(f":{mismatch.wanted}", f":{mismatch.made_with}", 1)
        with postgres.server(self._daemon, old, volume, self._password) as container:
            postgres.dump(self._daemon, container, dumped)
        self._keep_copy(volume, report)
        self._daemon.remove_volume(volume)
        self._daemon.create_volume(volume, self._project, VOLUME)
        with postgres.server(self._daemon, self._image, volume, self._password) as container:
            postgres.restore(self._daemon, container, dumped)

    def _keep_copy(self, volume: str, report: Report) -> None:
        target = self._backups / f"{volume}-{_now()}.tar"
        with self._daemon.helper(self._image, binds={volume: "/volume:ro"}) as container:
            self._daemon.copy_out(container, "/volume", target)
        report(Noted(f"The old volume is kept as {target.parent.parent.name}/backups/{target.name}."))


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}"


def _major_inside(daemon: Daemon, volume: Volume, image: str) -> str:
    """The major version that a volume's files are of; empty for an empty volume."""
    _, output = daemon.run_once(image, ["cat", "/volume/PG_VERSION"], binds={volume.name: "/volume:ro"})
    return output.strip() if output.strip().isdecimal() else ""


def _volume(daemon: Daemon, project: DockerProject, stack: Stack) -> Volume | None:
    return daemon.volumes(project.name).get(project.volume(VOLUME, stack))
