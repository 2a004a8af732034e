"""Loopback ports: is one free, who holds it, which is the next."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection
from dataclasses import dataclass

from dataflow.errors import MissingError

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens on a port; pid None where the system does not tell."""

    port: int
    pid: int | None
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})" if self.pid else self.name


def is_free(port: int) -> bool:
    """Whether we could listen on this port now, on loopback and on all addresses."""
    for host in (HOST, "0.0.0.0"):  # noqa: S104 - a probe: a listener on all addresses takes loopback too
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def next_free(start: int, *, taken: Collection[int] = ()) -> int:
    """The first port from `start` upwards that is free and not in `taken`. Raises MissingError NO_PORT."""
    for port in range(start, min(start + 500, 65536)):
        if port not in taken and is_free(port):
            return port
    raise MissingError(f"No free port between {start} and {start + 499}.", code="NO_PORT")


def holder_of(port: int) -> Holder:
    """Who listens on `port`, as far as we may see."""
    import psutil

    with contextlib.suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status != psutil.CONN_LISTEN or not connection.pid or not address:
                continue
            if address.port == port:
                with contextlib.suppress(psutil.NoSuchProcess):
                    return Holder(port, connection.pid, psutil.Process(connection.pid).name())
    return Holder(port, None, "another program")


def answers(port: int, *, timeout: float = 0.5) -> bool:
    """Whether something accepts connections on this loopback port."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=timeout):
        return True
    return False
