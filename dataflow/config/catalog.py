"""The service catalog: every service there is, and those that a project's settings ask for."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataflow.config import assets
from dataflow.config.keys import from_plain, to_plain
from dataflow.config.paths import ProjectPaths
from dataflow.config.services import ALL_PROFILES, DEFAULT_PROFILE, ServiceSpec, read_service
from dataflow.config.settings import Settings
from dataflow.config.validation import suggestion
from dataflow.errors import ConfigurationError, DataflowError, Place, UsageError
from dataflow.events import ignore
from dataflow.models import EngineName
from dataflow.system.files import read_state, write_text

Catalog = dict[str, ServiceSpec]
ENGINES: tuple[EngineName, ...] = ("native", "docker")


def load_services(paths: ProjectPaths) -> tuple[ServiceSpec, ...]:
    """Every service that a folder describes: the shipped ones and the project's own, which win by their folder's name.

    Raises:
        ConfigurationError: a block is invalid, with file and line.
    """
    shipped, own = (_files(folder) for folder in (assets.path("compose") / "services", paths.services))
    if shipped == own:  # the project is our own checkout
        own = {}
    left = {name: file for name, file in shipped.items() if name not in own}
    own_cache = paths.run / "services.json" if paths.run.is_dir() else None
    read = (*_cached(_users_cache(), left.values()), *_cached(own_cache, own.values()))
    found = {spec.folder.name: spec for spec in read}
    return tuple(found[name] for name in {**shipped, **own} if name in found)


def load_catalog(paths: ProjectPaths, settings: Settings) -> Catalog:
    """Every service by name, dependencies first; of several for one name, the one that the settings pick.

    Raises:
        ConfigurationError: a block is invalid, or dependencies go round in a circle.
        UsageError: a setting picks a service that there is not, or is about one (SERVICE_UNKNOWN).
    """
    services = load_services(paths)
    for key in {key for spec in services for key in spec.when}:
        there = {spec.when[key] for spec in services if key in spec.when}
        if getattr(settings, key) not in there:
            message = f'{key} = "{getattr(settings, key)}" picks a service that there is not.'
            raise UsageError(message, code="SERVICE_UNKNOWN", hint=f"There is: {', '.join(sorted(there))}.")
    picked = {
        spec.name: replace(spec, served=_served(spec.name, services)) for spec in services if _picks(settings, spec)
    }
    for name in settings.services:
        require(picked, name)
    return in_order(picked)


def selected(catalog: Catalog, settings: Settings, engine: EngineName, profiles: Iterable[str] = ()) -> Catalog:
    """The services that the settings, and `profiles` beside them, ask for on this engine.

    Raises:
        UsageError: SERVICE_UNKNOWN; the service that a setting picks is not for this engine.
    """
    wanted = {DEFAULT_PROFILE, *settings.profiles, *profiles}

    def asked_for(spec: ServiceSpec) -> bool:
        own = settings.services.get(spec.name)
        if own and own.enabled is not None:
            return own.enabled
        return ALL_PROFILES in wanted or not wanted.isdisjoint(spec.profiles)

    found: Catalog = {}
    for name, spec in catalog.items():
        if not asked_for(spec):
            continue
        if spec.engine in (None, engine):
            found[name] = spec
        elif engine in spec.served:
            key, value = next(iter(spec.when.items()))
            message = f'{key} = "{value}" picks a service that only the {spec.engine} engine has.'
            raise UsageError(message, code="SERVICE_UNKNOWN", hint=f"Use --engine {spec.engine}, or another {key}.")
    return found


def profiles(services: Iterable[ServiceSpec]) -> set[str]:
    """Every profile that brings something, and `all`."""
    return {ALL_PROFILES, *(profile for spec in services for profile in spec.profiles)}


def require(catalog: Mapping[str, ServiceSpec], name: str) -> ServiceSpec:
    """The service called `name`. Raises UsageError SERVICE_UNKNOWN with a did-you-mean."""
    if name in catalog:
        return catalog[name]
    hint = suggestion(name, catalog) or f"There are: {', '.join(sorted(catalog))}."
    raise UsageError(f"There is no service '{name}'.", code="SERVICE_UNKNOWN", hint=hint)


def in_order(specs: Catalog) -> Catalog:
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


def _served(name: str, services: Iterable[ServiceSpec]) -> tuple[EngineName, ...]:
    limits = {spec.engine for spec in services if spec.name == name}
    return ENGINES if None in limits else tuple(engine for engine in ENGINES if engine in limits)


def _picks(settings: Settings, spec: ServiceSpec) -> bool:
    return all(getattr(settings, key) == value for key, value in spec.when.items())


def _files(folder: Path) -> dict[str, Path]:
    return {file.parent.name: file for file in sorted(folder.glob("*/compose.yaml"))}


def _users_cache() -> Path:
    """Where this user keeps what was read of the shipped services: one place for all projects of an installation."""
    from platformdirs import user_cache_path

    installation = hashlib.sha256(str(assets.path("compose")).encode()).hexdigest()[:12]
    return user_cache_path("dataflow") / f"services-{installation}.json"


def _cached(cache: Path | None, files: Collection[Path]) -> tuple[ServiceSpec, ...]:
    """Parsing the files takes longer than most commands: what came out is kept while no file changes."""
    if not files:
        return ()
    stats = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]
    key = hashlib.sha256(repr(stats).encode()).hexdigest()
    kept = _kept(cache) if cache else {}
    if kept.get("key") == key:
        with contextlib.suppress(ValueError):  # another release wrote it
            return from_plain(kept["specs"], tuple[ServiceSpec, ...])
    found = [spec for file in files if (spec := read_service(file))]
    if cache:
        with contextlib.suppress(DataflowError):  # a full disk or a read-only folder: it is only a cache
            specs = to_plain(found)
            write_text(cache, json.dumps({"key": key, "specs": specs}))  # unsorted: the first port is the main one
    return tuple(found)


def _kept(cache: Path) -> Mapping[str, Any]:
    with contextlib.suppress(DataflowError):
        return read_state(cache, ignore)
    return {}


def closure(catalog: Mapping[str, ServiceSpec], names: Iterable[str]) -> Catalog:
    """These services and everything they depend on, dependencies first."""
    found: Catalog = {}
    open_names = list(names)
    while open_names:
        spec = require(dict(catalog), open_names.pop())
        found[spec.name] = spec
        open_names += [name for name in spec.depends if name not in found]
    return in_order(found)
