"""How to ask each service of a running platform whether it works, as a file that the exporter reads.

The engine writes it when it brings services up: it knows what is wanted and where it is reached. On the docker engine
that is inside the platform's network, by the names of services, so the exporter needs no Docker socket (ADR 0008).
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dataflow.config.services import ServiceSpec
from dataflow.engines.health import Fill, ask_health
from dataflow.events import ignore
from dataflow.system.files import read_state, write_json

FILE = "probes.json"
_LOOPBACK = re.compile(r"127\.0\.0\.1:\{\{(?:(?P<service>[\w-]+)\.)?(?P<port>[\w-]+)\}\}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where one service is asked: over HTTP at `url`, or whether `address` (host:port) accepts."""

    service: str
    url: str | None = None
    body: str | None = None
    reject: str | None = None
    address: str | None = None

    def answers(self, timeout: float) -> bool:
        """Whether what its users use answers."""
        if self.url:
            body = json.loads(self.body) if self.body else None
            return ask_health(self.url, body, self.reject, timeout).health == "healthy"
        host, _, port = (self.address or "").rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout):
                return True
        except OSError:
            return False


def on_machine(specs: Iterable[ServiceSpec], fill: Fill) -> list[Target]:
    """Targets on this machine's ports."""
    found = [_target(spec, partial(fill, spec.name)) for spec in specs]
    return [target for target in found if target]


def in_network(specs: Mapping[str, ServiceSpec]) -> list[Target]:
    """Targets inside the Compose project's network: a service's name, and the port in its container."""

    def inside(own: str, text: str) -> str:
        def place(match: re.Match[str]) -> str:
            name = match["service"] or own
            spec = specs.get(name)
            published = spec.container.published if spec and spec.container else {}
            ports = {**(spec.ports if spec else {}), **published}
            return f"{name}:{ports.get(match['port'], 0)}"

        return _LOOPBACK.sub(place, text)

    found = [_target(spec, partial(inside, spec.name)) for spec in specs.values()]
    return [target for target in found if target]


def _target(spec: ServiceSpec, fill: Callable[[str], str]) -> Target | None:
    """How a service is asked; None where there is no way, and for jobs and the one who asks."""
    check = spec.health
    if spec.job or spec.name == "exporter":
        return None
    if check.url:
        return Target(spec.name, fill(check.url), check.body, check.reject)
    if check.tcp:
        return Target(spec.name, address=fill(f"127.0.0.1:{{{{{check.tcp}}}}}"))
    return Target(spec.name, address=urlsplit(spec.metrics).netloc) if spec.metrics else None


def save(run: Path, targets: Iterable[Target]) -> None:
    """Write the file, where it differs."""
    data = {"targets": [asdict(target) for target in targets]}
    if read_state(run / FILE, ignore) != data:
        write_json(run / FILE, data)


def load(run: Path) -> list[Target]:
    """What was written last; nothing where the platform has not been up."""
    return [Target(**entry) for entry in read_state(run / FILE, ignore).get("targets", ())]
