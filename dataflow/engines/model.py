"""The Compose project as it is now, reduced to what a plan compares: no secret is in it, only digests of values.

Asking Compose takes a fifth of a second, so the answer is kept while nothing that it is made from changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dataflow.engines.compose import Compose
from dataflow.engines.stack import digest
from dataflow.events import ignore
from dataflow.system.files import read_state, write_json

# What Compose leaves out of its own comparison.
_NOT_COMPARED = {"build", "pull_policy", "scale", "deploy", "depends_on", "profiles"}
_VARIABLE = re.compile(r"\$\{?(\w+)")
_VERSION = 2
FILE = "file "
SECRET = "secret "  # noqa: S105 - a prefix
"""How keys begin in `parts` that stand for what Compose does not compare."""


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """One service of the project.

    `hash` is Compose's own; `parts` has a digest per key ("environment.X", "image", "file loki.yaml", "secret X"), to
    name what changed. `depends` maps what it waits for to the condition.
    """

    hash: str
    image: str
    builds: bool = False
    profiles: tuple[str, ...] = ()
    depends: Mapping[str, str] = field(default_factory=dict[str, str])
    parts: Mapping[str, str] = field(default_factory=dict[str, str])


Model = dict[str, ServiceModel]


def load_model(compose: Compose, cache: Path, inputs: Mapping[str, str]) -> Model:
    """The project's services by name. `inputs` are digests of all that Compose reads: equal inputs, equal model.

    Mounted files and secrets, which Compose itself does not compare, are looked at each time.

    Raises:
        ConfigurationError: COMPOSE_INVALID.
    """
    key = digest(repr(sorted(inputs.items())))
    kept = read_state(cache, ignore)
    if kept.get("version") != _VERSION or kept.get("key") != key:
        resolved, hashes = compose.resolve(), compose.hashes()
        secrets = {name: secret.get("environment") for name, secret in resolved.get("secrets", {}).items()}
        services = {
            name: {
                **asdict(_service(service, hashes.get(name, ""))),
                "mounts": _mounted_files(service),
                "secrets": [secrets.get(secret["source"]) for secret in service.get("secrets", ())],
            }
            for name, service in resolved.get("services", {}).items()
        }
        kept: dict[str, Any] = {"version": _VERSION, "key": key, "services": services}
        if cache.parent.is_dir():
            write_json(cache, kept)
    return {name: _revived(service, compose.environment) for name, service in kept["services"].items()}


def inputs_of(texts: Mapping[Path, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Digests of the Compose files and of the variables that they mention, by file and by name."""
    mentioned = {name for text in texts.values() for name in _VARIABLE.findall(text)}
    found = {str(path): digest(text) for path, text in texts.items()}
    return found | {name: digest(variables[name]) for name in sorted(mentioned) if name in variables}


def mentions(text: str) -> set[str]:
    """The variables that a Compose file mentions."""
    return set(_VARIABLE.findall(text))


def _service(service: Mapping[str, Any], hash_: str) -> ServiceModel:
    conditions = {name: str(entry.get("condition", "")) for name, entry in (service.get("depends_on") or {}).items()}
    return ServiceModel(
        hash=hash_,
        image=str(service.get("image", "")),
        builds="build" in service,
        profiles=tuple(service.get("profiles", ())),
        depends=conditions,
        parts=_parts(service),
    )


def _parts(service: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in service.items():
        if key in _NOT_COMPARED:
            continue
        if isinstance(value, Mapping):
            found |= {f"{key}.{name}": digest(json.dumps(inner, sort_keys=True)) for name, inner in value.items()}
        else:
            found[key] = digest(json.dumps(value, sort_keys=True))
    return found


def _mounted_files(service: Mapping[str, Any]) -> list[str]:
    """Single files that are mounted: configuration, which a service reads when it starts."""
    sources = [str(volume.get("source", "")) for volume in service.get("volumes", ()) if volume.get("type") == "bind"]
    return [source for source in sources if Path(source).is_file()]


def _revived(kept: Mapping[str, Any], environ: Mapping[str, str]) -> ServiceModel:
    contents = {
        f"{FILE}{Path(file).name}": digest(Path(file).read_text(encoding="utf-8", errors="replace"))
        for file in kept["mounts"]
        if Path(file).is_file()
    }
    secrets = {f"{SECRET}{name}": digest(environ.get(name, "")) for name in kept["secrets"] if name}
    return ServiceModel(
        kept["hash"],
        kept["image"],
        kept["builds"],
        tuple(kept["profiles"]),
        dict(kept["depends"]),
        {**kept["parts"], **contents, **secrets},
    )
