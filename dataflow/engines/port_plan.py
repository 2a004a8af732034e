"""Which port each service gets: the configured one, the remembered one, or the next that is free."""

from __future__ import annotations

from collections.abc import Mapping

from dataflow.config.services import ServiceSpec
from dataflow.config.settings import Settings
from dataflow.engines.base import PortMove
from dataflow.errors import Action, MissingError
from dataflow.models import PortUse
from dataflow.system.ports import holder_of, is_free, next_free

_PROXIES = {"docker-proxy", "rootlesskit", "slirp4netns", "com.docker.backend"}
Remembered = Mapping[str, Mapping[str, int]]


class PortTakenError(MissingError):
    """A configured port that somebody else holds, for whoever wants to know which service has to do without it."""

    def __init__(self, service: str, port: int, holder: str, free: int) -> None:
        super().__init__(
            f"Port {port}, configured for {service}, is held by {holder}.",
            code="PORT_TAKEN",
            hint=f"Stop that program, or set another port under [services.{service}] in dataflow.toml.",
            actions=(
                Action(
                    f"Use port {free} this time",
                    f"DATAFLOW_SERVICES_{service.upper().replace('-', '_')}_PORT={free} dataflow up",
                ),
            ),
        )
        self.service = service
        self.port = port
        self.holder = holder


def assign(
    specs: Mapping[str, ServiceSpec],
    settings: Settings,
    remembered: Remembered,
    running: set[str],
    reserved: Mapping[int, str],
) -> tuple[dict[str, tuple[PortUse, ...]], tuple[PortMove, ...]]:
    """Ports of every service, and which of them had to move because somebody holds the wanted one.

    A running service keeps its ports. A port that the user configured is never moved. `reserved` ports belong to
    other platforms, each with the words for its holder, whether or not they listen on them now.

    Raises:
        MissingError: PORT_TAKEN for a configured port, naming who holds it.
    """
    own = "another service of this project"
    taken = {**reserved, **{number: own for name in running for number in remembered.get(name, {}).values()}}
    moved: list[PortMove] = []
    ports: dict[str, tuple[PortUse, ...]] = {}
    for name, spec in specs.items():
        uses: list[PortUse] = []
        for port, default in spec.ports.items():
            configured = _configured(settings, spec, port)
            known = remembered.get(name, {}).get(port)
            if name in running and known and configured in (None, known):
                uses.append(PortUse(port, known, configured or default))
                continue
            use, move = _pick(name, port, configured, known, default, taken)
            taken[use.number] = own
            uses.append(use)
            moved += [move] if move else []
        ports[name] = tuple(uses)
    return ports, tuple(moved)


def _configured(settings: Settings, spec: ServiceSpec, port: str) -> int | None:
    own = settings.services.get(spec.name)
    return own.port if own and port == spec.main_port else None


def _pick(
    service: str, port: str, configured: int | None, known: int | None, default: int, taken: Mapping[int, str]
) -> tuple[PortUse, PortMove | None]:
    wanted = configured or known or default
    if wanted not in taken and is_free(wanted):
        return PortUse(port, wanted, configured or default), None
    holder = taken.get(wanted) or holder_words(wanted)
    if configured:
        raise PortTakenError(service, wanted, holder, next_free(wanted + 1, taken=taken))
    number = next_free(wanted + 1, taken=taken)
    return PortUse(port, number, default), PortMove(service, port, wanted, number, holder)


def holder_words(port: int) -> str:
    """Who listens on a port. Docker's proxy listens for containers: the container is named."""
    holder = holder_of(port)
    if holder.pid and holder.name not in _PROXIES:  # an engine run by root is not ours to see
        return str(holder)
    from dataflow.engines.daemon import Daemon
    from dataflow.engines.docker_checks import ports_of_others

    try:
        return ports_of_others(Daemon().summaries(), project="").get(port) or str(holder)
    except MissingError:  # the engine went, or may not be asked
        return str(holder)
