"""The start-up profile: how long each step of each service took, and which services made the whole take so long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dataflow.config.catalog import Catalog
from dataflow.engines.base import StartUp
from dataflow.operations.services import Waited


def completed(profile: Sequence[StartUp], waited: Sequence[Waited]) -> tuple[StartUp, ...]:
    """What the engine measured, with our own waiting where it measured no readiness."""
    seconds = {one.service: one.seconds for one in waited}
    return tuple(
        one if one.ready is not None else replace(one, ready=seconds.get(one.service), healthy=seconds.get(one.service))
        for one in profile
    )


def critical_path(catalog: Catalog, profile: Sequence[StartUp]) -> tuple[str, ...]:
    """From the service that was ready last back along what each had to wait for, the first one first."""
    ready = {one.service: one for one in profile if one.ready is not None}
    if not ready:
        return ()
    path = [max(ready.values(), key=lambda one: one.ready or 0.0)]
    while (before := _before(catalog, path[0], ready)) and before not in path:
        path.insert(0, before)
    return tuple(one.service for one in path)


def _before(catalog: Catalog, one: StartUp, ready: Mapping[str, StartUp]) -> StartUp | None:
    """What it waited for last: as the engine saw it, else the slowest of what it depends on."""
    if one.after:
        return ready.get(one.after)
    spec = catalog.get(one.service)
    waited = [ready[name] for name in (spec.depends if spec else ()) if name in ready]
    return max(waited, key=lambda other: other.ready or 0.0, default=None)
