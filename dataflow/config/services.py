"""What the toolkit knows about a service, read from its own compose.yaml.

Adding a service means adding a folder under compose/services/ with an `x-dataflow:` block; no Python changes.
In its strings `{{name}}` is replaced: `{{port}}` of its own, `{{other-service.port}}`, the folders `{{project}}
{{state}} {{run}} {{objects}} {{dagster_home}} {{service}}` (the folder of its files), `{{python}}` and `{{env.NAME}}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from dataflow.config.documents import Document, load_yaml
from dataflow.config.keys import Key, Strict
from dataflow.config.settings import variable_of
from dataflow.config.validation import validate
from dataflow.models import EngineName

KEY = "x-dataflow"
DEFAULT_PROFILE = "default"
ALL_PROFILES = "all"
_DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Strict):
    """How to ask a service whether it works. With `url`, over HTTP; with `tcp`, whether the port accepts."""

    url: str | None = None
    body: str | None = None
    reject: Annotated[str | None, Key("A pattern that means trouble although the answer is 200.")] = None
    tcp: Annotated[str | None, Key("The name of a port.")] = None
    through: Annotated[str | None, Key("The service that is asked, when it is another one.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Native(Strict):
    """How the native engine runs the service as a process."""

    program: Annotated[str, Key("Must be beside our Python or on PATH.")]
    arguments: Annotated[tuple[str, ...], Key("Its arguments.")] = ()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    files: Annotated[dict[str, str], Key("Template beside compose.yaml -> where it is written.")] = field(
        default_factory=dict[str, str]
    )
    folders: tuple[str, ...] = ()
    nice: Annotated[int, Key(ge=0, le=19, description="How much it lets others have the processor first.")] = 0
    stop_signal: Literal["TERM", "INT", "QUIT"] = "TERM"
    stop_seconds: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Strict):
    """What the toolkit reads in the Compose half of the file.

    `published`: the ports that people reach, by name, with their numbers inside the container.
    """

    image: str | None = None
    published: dict[str, int] = field(default_factory=dict[str, int])
    profiles: tuple[str, ...] = ()

    @property
    def default_image(self) -> str:
        """The image where nobody sets another: postgres:17 of `${NAME:-postgres:17}`."""
        return _DEFAULT.sub(r"\1", self.image or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Strict):
    """The `x-dataflow:` block of a service."""

    service: Annotated[str | None, Key("Its name, where that is not the folder's.")] = None
    label: str
    group: Literal["orchestration", "storage", "observability", "application"]
    engine: Annotated[EngineName | None, Key("The only engine that has it.")] = None
    job: Annotated[bool, Key("It runs once and ends.")] = False
    deprecated: Annotated[str | None, Key("Why not to use it any more; `dataflow up` warns.")] = None
    profile: str = DEFAULT_PROFILE
    when: Annotated[dict[str, str], Key("Settings that pick this one of several.")] = field(
        default_factory=dict[str, str]
    )
    depends: tuple[str, ...] = ()
    ports: dict[str, int] = field(default_factory=dict[str, int])
    url: str | None = None
    health: Probe = Probe()
    native: Native | None = None
    metrics: Annotated[str | None, Key("URL of its Prometheus metrics.")] = None
    log_format: Literal["json", "text"] = "text"
    backup: Literal["none", "files", "postgres", "objects"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec(Block):
    """One service: its block, where it stands, and its Compose half where it has one.

    `served`: the engines that have a service of this name, whichever of several a setting picks.
    """

    name: str
    served: tuple[EngineName, ...] = ()
    folder: Path = Path()
    container: Container | None = None

    @property
    def profiles(self) -> tuple[str, ...]:
        """Any of these brings it."""
        if self.container:
            return self.container.profiles or (DEFAULT_PROFILE,)
        return (self.profile,)

    @property
    def main_port(self) -> str | None:
        """The port people use: the first."""
        return next(iter(self.ports), None)

    def port_variable(self, port: str) -> str:
        """The variable that its Compose half reads a published port's number from."""
        main = variable_of(f"services.{self.name}.port")
        return main if port == self.main_port else f"{main}_{port.upper().replace('-', '_')}"

    def reaches(self, text: str) -> bool:
        """Whether every port of its own that `text` mentions is published by its container."""
        published = self.container.published if self.container else {}
        return not any("{{" + port + "}}" in text for port in self.ports if port not in published)


def unknown(name: str) -> ServiceSpec:
    """A service that no folder describes: the user's own Compose files brought it."""
    return ServiceSpec(name=name, folder=Path(), label=name, group="application", container=Container())


def read_service(file: Path) -> ServiceSpec | None:
    """The service of a compose.yaml; None without a block. Raises ConfigurationError CONFIG_INVALID, YAML_SYNTAX."""
    document = load_yaml(file)
    block = document.data.get(KEY)
    if not isinstance(block, dict):
        return None

    def locate(text: str, key: tuple[str | int, ...]) -> tuple[int, int] | None:
        return document.locate(text, (KEY, *key))

    checked = validate(Block, Document(file, document.text, block, locate))
    keys = {item.name: getattr(checked, item.name) for item in fields(checked)}
    spec = ServiceSpec(**keys, name=checked.service or file.parent.name, folder=file.parent)
    services = document.data.get("services")
    half = services.get(spec.name) if isinstance(services, dict) else None
    return replace(spec, container=_container(spec, half)) if isinstance(half, dict) else spec


def _container(spec: ServiceSpec, half: dict[str, Any]) -> Container:
    published = {
        port: int(entry.rpartition(":")[2])
        for entry in map(str, half.get("ports", ()))
        for port in spec.ports
        if f"{{{spec.port_variable(port)}:" in entry
    }
    profiles = tuple(name for name in half.get("profiles", ()) if name != ALL_PROFILES)
    return Container(image=half.get("image"), published=published, profiles=profiles)
