"""The service catalog: what the toolkit knows about each service, read from its own compose.yaml.

Adding a service means adding a folder under compose/services/ with an `x-dataflow:` block; no Python changes.
In its strings `{{name}}` is replaced: `{{port}}` of its own, `{{other-service.port}}`, the folders `{{project}}
{{state}} {{run}} {{objects}} {{dagster_home}} {{service}}` (the folder of its files), `{{python}}` and `{{env.NAME}}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dataflow.config import assets
from dataflow.config.documents import Document, load_yaml
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import Settings
from dataflow.config.validation import suggestion, validate
from dataflow.errors import ConfigurationError, Place, UsageError

KEY = "x-dataflow"
DEFAULT_PROFILE = "default"


class Part(BaseModel):
    """A part of an `x-dataflow:` block: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Probe(Part):
    """How to ask a service whether it works. With `url`, over HTTP; with `tcp`, whether the port accepts."""

    url: str | None = None
    body: str | None = None
    reject: Annotated[str | None, Field(description="A pattern that means trouble although the answer is 200.")] = None
    tcp: Annotated[str | None, Field(description="The name of a port.")] = None
    through: Annotated[str | None, Field(description="The service that is asked, when it is another one.")] = None


class Native(Part):
    """How the native engine runs the service as a process."""

    program: Annotated[str, Field(description="Must be beside our Python or on PATH.")]
    arguments: Annotated[tuple[str, ...], Field(description="Its arguments.")] = ()
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    files: Annotated[dict[str, str], Field(description="Template beside compose.yaml -> where it is written.")] = Field(
        default_factory=dict[str, str]
    )
    folders: tuple[str, ...] = ()
    nice: Annotated[int, Field(ge=0, le=19, description="How much it lets others have the processor first.")] = 0
    stop_signal: Literal["TERM", "INT", "QUIT"] = "TERM"
    stop_seconds: int = 10


class ServiceSpec(Part):
    """One service, as its `x-dataflow:` block describes it."""

    name: str = ""
    folder: Path = Path()
    label: str
    group: Literal["orchestration", "storage", "observability", "application"]
    profile: str = DEFAULT_PROFILE
    selected_when: Annotated[dict[str, str], Field(alias="when", description="Settings that select it.")] = Field(
        default_factory=dict[str, str]
    )
    depends: tuple[str, ...] = ()
    ports: dict[str, int] = Field(default_factory=dict[str, int])
    url: str | None = None
    health: Probe = Probe()
    native: Native | None = None
    metrics: Annotated[str | None, Field(description="URL of its Prometheus metrics.")] = None
    log_format: Literal["json", "text"] = "text"
    backup: Literal["none", "files", "postgres", "objects"] = "none"

    @property
    def main_port(self) -> str | None:
        """The port people use: the first."""
        return next(iter(self.ports), None)


def load_catalog(paths: ProjectPaths) -> dict[str, ServiceSpec]:
    """Every service by name, dependencies first: the shipped ones and the project's own.

    Raises:
        ConfigurationError: a block is invalid (file and line), or dependencies go round in a circle.
    """
    found: dict[str, ServiceSpec] = {}
    for root in dict.fromkeys((assets.path("compose") / "services", paths.services)):
        for file in sorted(root.glob("*/compose.yaml")):
            spec = _read(file)
            if spec:
                found[spec.name] = spec
    return in_order(found)


def selected(catalog: dict[str, ServiceSpec], settings: Settings) -> dict[str, ServiceSpec]:
    """The services that this project's settings ask for."""
    for name in settings.services:
        require(catalog, name)
    _require_choices(catalog, settings)
    profiles = {DEFAULT_PROFILE, *settings.profiles}
    everything = "all" in profiles

    def wanted(spec: ServiceSpec) -> bool:
        own = settings.services.get(spec.name)
        if own and own.enabled is not None:
            return own.enabled
        chosen = all(getattr(settings, key) == value for key, value in spec.selected_when.items())
        return chosen and (everything or spec.profile in profiles)

    return {name: spec for name, spec in catalog.items() if wanted(spec)}


def _require_choices(catalog: dict[str, ServiceSpec], settings: Settings) -> None:
    """A setting that picks one of several services must pick one that there is."""
    for key in {key for spec in catalog.values() for key in spec.selected_when}:
        there = {spec.selected_when[key] for spec in catalog.values() if key in spec.selected_when}
        value = getattr(settings, key)
        if value not in there:
            message = f'{key} = "{value}" picks a service that this release does not have.'
            raise UsageError(message, code="SERVICE_UNKNOWN", hint=f"There is: {', '.join(sorted(there))}.")


def require(catalog: dict[str, ServiceSpec], name: str) -> ServiceSpec:
    """The service called `name`. Raises UsageError SERVICE_UNKNOWN with a did-you-mean."""
    if name in catalog:
        return catalog[name]
    hint = suggestion(name, catalog) or f"There are: {', '.join(sorted(catalog))}."
    raise UsageError(f"There is no service '{name}'.", code="SERVICE_UNKNOWN", hint=hint)


def in_order(specs: dict[str, ServiceSpec]) -> dict[str, ServiceSpec]:
    """The same services, each after those it depends on. Raises ConfigurationError DEPENDENCY_CIRCLE."""
    from graphlib import CycleError, TopologicalSorter

    try:
        order = TopologicalSorter({name: spec.depends for name, spec in sorted(specs.items())}).static_order()
        return {name: specs[name] for name in order if name in specs}
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        place = Place(specs[error.args[1][0]].folder / "compose.yaml")
        message = f"Services depend on each other in a circle: {circle}."
        raise ConfigurationError(message, code="DEPENDENCY_CIRCLE", place=place) from error


def _read(file: Path) -> ServiceSpec | None:
    document = load_yaml(file)
    block = document.data.get(KEY)
    if not isinstance(block, dict):
        return None

    def locate(text: str, key: tuple[str | int, ...]) -> tuple[int, int] | None:
        return document.locate(text, (KEY, *key))

    spec = validate(ServiceSpec, Document(file, document.text, block, locate))
    return spec.model_copy(update={"name": file.parent.name, "folder": file.parent})
