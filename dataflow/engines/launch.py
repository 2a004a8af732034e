"""Turn a service's description into what a machine needs to run it: command, environment, files."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ServiceSpec
from dataflow.engines.stack import digest
from dataflow.errors import ConfigurationError, Place
from dataflow.models import PortUse
from dataflow.system.process import find_program

_FIELD = re.compile(r"\{\{([\w.-]+)\}\}")


@dataclass(frozen=True, slots=True)
class Launch:
    """One service, ready to run. `environment` holds `env.NAME` references, never a secret's value."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    files: dict[Path, str]
    folders: tuple[Path, ...]
    stop_signal: str
    stop_seconds: int

    def digests(self) -> dict[str, str]:
        """A digest per part, so that a change can be named."""
        return {
            "command": digest("\0".join(self.command)),
            "environment": digest(repr(sorted(self.environment.items()))),
            **{f"file {path.name}": digest(text) for path, text in self.files.items()},
        }


class Filler:
    """Replaces `{{…}}` in the texts of service descriptions."""

    def __init__(
        self, paths: ProjectPaths, specs: Mapping[str, ServiceSpec], ports: Mapping[str, tuple[PortUse, ...]]
    ) -> None:
        self._specs = specs
        self._paths = paths
        self._ports = {name: {use.name: use.number for use in uses} for name, uses in ports.items()}

    def __call__(self, service: str, text: str) -> str:
        """`text` with every field filled in for `service`. Raises ConfigurationError FIELD_UNKNOWN."""
        return _FIELD.sub(lambda match: self._value(service, match[1]), text)

    def _value(self, service: str, field: str) -> str:
        own = {**self._specs[service].ports, **self._ports.get(service, {})}
        if field in own:
            return str(own[field])
        if field.startswith("env."):
            return "{{" + field + "}}"  # the engine fills it in where no file can hold it
        other, _, port = field.partition(".")
        if other in self._specs:
            return str(self._ports.get(other, {}).get(port) or self._specs[other].ports[port])
        folders = {
            "project": self._paths.root,
            "state": self._paths.state,
            "run": self._paths.run,
            "objects": self._paths.objects,
            "dagster_home": self._paths.dagster_home,
            "service": self._specs[service].folder,
            "python": Path(sys.executable),
        }
        if field not in folders:
            place = Place(self._specs[service].folder / "compose.yaml")
            message = f"'{{{{{field}}}}}' in the description of {service} means nothing."
            raise ConfigurationError(message, code="FIELD_UNKNOWN", place=place)
        return str(folders[field])


def launch_of(spec: ServiceSpec, fill: Filler) -> Launch:
    """The launch of a service that has a native description."""
    native = spec.native
    if native is None:
        raise AssertionError(f"{spec.name} has no native description")
    program = find_program(native.program) or native.program
    return Launch(
        name=spec.name,
        command=(*_priority(native.nice), program, *(fill(spec.name, part) for part in native.arguments)),
        environment={key: fill(spec.name, value) for key, value in native.environment.items()},
        files={
            Path(fill(spec.name, target)): fill(spec.name, (spec.folder / source).read_text(encoding="utf-8"))
            for source, target in native.files.items()
        },
        folders=tuple(Path(fill(spec.name, folder)) for folder in native.folders),
        stop_signal=native.stop_signal,
        stop_seconds=native.stop_seconds,
    )


def _priority(nice: int) -> tuple[str, ...]:
    """POSIX `nice`, which becomes the program itself: the pid stays the same."""
    return (find_program("nice") or "nice", "-n", str(nice)) if nice else ()
