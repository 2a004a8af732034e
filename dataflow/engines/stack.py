"""stack.json: what the platform remembers between starts. Ports, and what was applied last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from dataflow.events import Report, ignore
from dataflow.models import EngineName, PortUse
from dataflow.system.files import read_state, write_json

VERSION = 1


@dataclass(frozen=True, slots=True)
class Stack:
    """Durable choices. `launches` and `variables` are digests of what runs, to name what changed.

    `asked` is when somebody last asked for each service to start (ISO 8601): crashes before that do not count.
    The rest is the docker engine's, but for `engine`, which is the one whose data this project works with: `profiles`
    that were asked for by a flag, `absent` services whose image cannot be had, what the `volumes` were made with, the
    `images` that run, by id, the `pins` that an upgrade fell back to, and the `generation` of the volumes with data.
    """

    ports: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    launches: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    asked: dict[str, str] = field(default_factory=dict[str, str])
    engine: EngineName | None = None
    generation: str = ""
    profiles: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict[str, str])
    volumes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    images: dict[str, str] = field(default_factory=dict[str, str])
    pins: dict[str, str] = field(default_factory=dict[str, str])

    def asked_for(self, names: Iterable[str]) -> Stack:
        """The same with these services asked for now."""
        now = datetime.now(UTC).isoformat()
        return replace(self, asked={**self.asked, **dict.fromkeys(names, now)})

    def with_ports(self, ports: Mapping[str, tuple[PortUse, ...]]) -> Stack:
        """The same with these services' ports remembered; those of others stay."""
        new = {name: {use.name: use.number for use in uses} for name, uses in ports.items()}
        return replace(self, ports={**self.ports, **new})


def load(path: Path, report: Report = ignore) -> Stack:
    """What was remembered; nothing where the file is missing or was corrupt (then it is kept aside)."""
    data: dict[str, Any] = read_state(path, report)
    if data.get("version") != VERSION:
        return Stack()
    engine = data.get("engine")
    profiles = data.get("profiles")
    return Stack(
        ports=_ports(data.get("ports")),
        engine=engine if engine in get_args(EngineName) else None,
        generation=str(data.get("generation") or ""),
        profiles=tuple(map(str, profiles)) if isinstance(profiles, list) else (),
        launches=_texts(data.get("launches")),
        volumes=_texts(data.get("volumes")),
        **{name: _flat(data.get(name)) for name in ("variables", "asked", "absent", "images", "pins")},
    )


def save(path: Path, stack: Stack) -> None:
    """Remember. Only the owner may read it: a digest of a weak secret can be guessed."""
    write_json(path, {"version": VERSION, **asdict(stack)}, mode=0o600)


def digest(text: str) -> str:
    """A short name for a text that must not be stored itself."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ports(data: object) -> dict[str, dict[str, int]]:
    if not isinstance(data, dict):
        return {}
    return {
        str(name): {str(port): number for port, number in ports.items() if isinstance(number, int)}
        for name, ports in data.items()
        if isinstance(ports, dict)
    }


def _texts(data: object) -> dict[str, dict[str, str]]:
    return {str(name): _flat(part) for name, part in data.items()} if isinstance(data, dict) else {}


def _flat(data: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
