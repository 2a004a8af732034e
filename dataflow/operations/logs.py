"""The logs of services, as they wrote them, in the order of time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from dataflow.config.services import require
from dataflow.operations.context import Context

_POLL = 0.2


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One line of a service's log, without its line end."""

    service: str
    text: str


@dataclass(frozen=True, slots=True)
class ServiceLines:
    """Lines of one or more services."""

    lines: tuple[ServiceLine, ...]


def tail(context: Context, names: tuple[str, ...], *, lines: int) -> ServiceLines:
    """The last `lines` of each service; of all where none is named. Raises UsageError SERVICE_UNKNOWN."""
    chosen = _chosen(context, names)
    found = [ServiceLine(name, text) for name in chosen for text in context.engine.log_tail(name, lines)]
    return ServiceLines(tuple(found))


def follow(context: Context, names: tuple[str, ...], *, lines: int) -> Iterator[ServiceLine]:
    """The last lines, then new ones as they are written, for ever. A log that rotates is followed on."""
    chosen = _chosen(context, names)
    yield from tail(context, names, lines=lines).lines
    places = {name: _size(context, name) for name in chosen}
    while True:
        for name in chosen:
            now = _size(context, name)
            if now < places[name]:  # rotated: the new file begins at nought
                places[name] = 0
            if now > places[name]:
                texts, places[name] = _read(context, name, places[name])
                yield from (ServiceLine(name, text) for text in texts)
        time.sleep(_POLL)


def _chosen(context: Context, names: tuple[str, ...]) -> list[str]:
    for name in names:
        require(context.catalog, name)
    return list(names or context.engine.wanted)


def _size(context: Context, name: str) -> int:
    path = context.engine.log_file(name)
    return path.stat().st_size if path.exists() else 0


def _read(context: Context, name: str, start: int) -> tuple[list[str], int]:
    """Whole lines from byte `start` on, and where the next read begins."""
    with context.engine.log_file(name).open("rb") as file:
        file.seek(start)
        data = file.read()
    whole = data.rfind(b"\n") + 1
    return data[:whole].decode("utf-8", errors="replace").splitlines(), start + whole
