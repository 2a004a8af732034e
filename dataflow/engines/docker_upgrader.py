"""Images by their ids: which run, which would, and a name for the former so that nothing cleans them away."""

from __future__ import annotations

from dataclasses import replace

from dataflow.config.paths import ProjectPaths
from dataflow.engines import stack
from dataflow.engines.base import PlanOptions
from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_planner import Planner
from dataflow.engines.facts import ContainerFacts
from dataflow.engines.model import Model
from dataflow.engines.upgrader import Upgrader, Version
from dataflow.errors import BackendError
from dataflow.events import Noted, Report, StepChanged

HELD = "dataflow-held"
TOOLKIT = "toolkit"
_SHORT = 12


class DockerUpgrader(Upgrader):
    """The images of a project's containers."""

    def __init__(self, daemon: Daemon, planner: Planner, paths: ProjectPaths) -> None:
        self._daemon = daemon
        self._planner = planner
        self._paths = paths

    def versions(self, *, ask: bool) -> tuple[Version, ...]:
        """By service: the image that its container was made of, and the one that it would be made of."""
        model, images = self._model(), self._daemon.images()
        found: list[Version] = []
        for name, facts in self._containers().items():
            if name not in model:
                continue
            image = model[name].image
            now = images.get(image, "")
            after = self._newest(image, now) if ask else _short(image, now)
            found.append(Version(name, _short(facts.image, facts.image_id), after))
        return tuple(sorted(found, key=lambda version: version.name))

    def fetch(self, report: Report) -> None:
        """Pull every image that is not built here."""
        model = self._model()
        own = {self._planner.project.toolkit, self._planner.project.code_image}
        built = {service.image for service in model.values() if service.builds}
        wanted = {model[name].image for name in self._containers() if name in model} - own - built
        for image in sorted(wanted):
            report(StepChanged(image, "started", "pulling"))
            try:
                for _ in self._daemon.pull(image):
                    pass
            except BackendError as error:
                report(StepChanged(image, "skipped", "stays as it is"))
                report(Noted(f"{image} could not be fetched anew: {error.message}.", warning=True))
            else:
                report(StepChanged(image, "done", "pulled"))

    def hold(self) -> dict[str, str]:
        """Each image of a container by a name of its own; our own image by what it is called."""
        pins: dict[str, str] = {}
        for name, facts in self._containers().items():
            if facts.image.startswith(("dataflow-toolkit:", "dataflow-baked:")):
                pins[TOOLKIT] = facts.image
                continue
            tag = f"{self._planner.project.name}.{name}-{facts.image_id.removeprefix('sha256:')[:_SHORT]}"
            self._daemon.tag(facts.image_id, HELD, tag)
            pins[name] = f"{HELD}:{tag}"
        return pins

    def return_to(self, pins: dict[str, str]) -> bool:
        """Remember the pins: plans are made with them from now on."""
        self._save(pins)
        return True

    def release(self) -> None:
        """Forget the pins."""
        self._save({})

    def clean(self) -> None:
        """Take our names away, and with them images that nothing else names."""
        for name in self._daemon.images():
            if name.startswith(f"{HELD}:{self._planner.project.name}."):
                self._daemon.untag(name)

    def _newest(self, image: str, now: str) -> str:
        """What the registry has under the name, as far as it answers."""
        here = {digest.partition("@")[2] for digest in self._daemon.digests(image)}
        there = self._daemon.remote_digest(image) if here else None
        return (
            f"{image} ({there.removeprefix('sha256:')[:_SHORT]})" if there and there not in here else _short(image, now)
        )

    def _model(self) -> Model:
        known = stack.load(self._paths.stack)
        return self._planner.plan(PlanOptions(), replace(known, pins={}), write=False)[1]

    def _containers(self) -> dict[str, ContainerFacts]:
        return {facts.service: facts for facts in self._daemon.project(self._planner.project.name)}

    def _save(self, pins: dict[str, str]) -> None:
        stack.save(self._paths.stack, replace(stack.load(self._paths.stack), pins=pins))


def _short(image: str, image_id: str) -> str:
    """grafana/loki:3.7.8 (f0b26ccbbcf1)."""
    return f"{image} ({image_id.removeprefix('sha256:')[:_SHORT]})" if image_id else f"{image} (not here)"
