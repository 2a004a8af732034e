"""Which services are a cause, and which only suffer from one: pure functions of states and dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dataflow.config.catalog import Catalog
from dataflow.models import ServiceStatus
from dataflow.operations.services import is_good


@dataclass(frozen=True, slots=True)
class Order:
    """The services that are not as they should be. `roots`: causes first, each with those that suffer from it."""

    roots: Mapping[str, tuple[str, ...]]


def order(catalog: Catalog, statuses: Mapping[str, ServiceStatus]) -> Order:
    """Walk from every service that is not well to the first that fails, dependencies first.

    A service that cannot run here at all is no trouble for a platform that goes on without it, unless somebody waits
    for it. One that is only asked through another one cannot be judged while that one is away.
    """
    bad = [name for name, status in statuses.items() if not is_good(status)]
    unseen = {name: through for name in bad if (through := _hidden(catalog, statuses, name))}
    reasons: dict[str, set[str]] = {}

    def roots(name: str, path: tuple[str, ...] = ()) -> set[str]:
        """The first causes above a service; itself where nothing that it needs is bad."""
        if name not in reasons and name not in path:
            above = _above(catalog, name, bad, unseen)
            reasons[name] = {root for other in above for root in roots(other, (*path, name))} or {name}
        return reasons.get(name, set())

    found: dict[str, list[str]] = {}
    for name in _sorted(catalog, bad):
        for root in sorted(roots(name)):
            suffering = found.setdefault(root, [])
            if name != root:
                suffering.append(name)
    return Order({name: tuple(found[name]) for name in _sorted(catalog, list(found))})


def _above(catalog: Catalog, name: str, bad: list[str], unseen: Mapping[str, str]) -> list[str]:
    """What a bad service needs that is bad, too."""
    if name in unseen:
        return [unseen[name]]
    spec = catalog.get(name)
    return [other for other in (spec.depends if spec else ()) if other in bad and other not in unseen]


def _hidden(catalog: Catalog, statuses: Mapping[str, ServiceStatus], name: str) -> str | None:
    """The service through which a running one is asked, where that one is bad."""
    spec, status = catalog.get(name), statuses[name]
    through = spec.health.through if spec else None
    if through is None or status.state != "running":
        return None
    return through if through not in statuses or not is_good(statuses[through]) else None


def _sorted(catalog: Catalog, names: list[str]) -> list[str]:
    """Dependencies first; those that only the user's own files know come last."""
    known = [name for name in catalog if name in names]
    return known + [name for name in names if name not in catalog]
