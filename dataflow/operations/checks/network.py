"""The way from this machine to itself: the name localhost, and proxies that must not stand in it."""

from __future__ import annotations

import ipaddress
import os
import socket

from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict, passed

_LOOPBACK = ("127.0.0.1", "localhost")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def localhost(_: Subject) -> Verdict:
    """`localhost` is 127.0.0.1, where services listen."""
    command = "getent ahosts localhost"
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo("localhost", None, socket.AF_INET)}
    except OSError as error:
        hint = "/etc/hosts needs the line: 127.0.0.1 localhost"
        return Verdict("fail", f"The name localhost leads nowhere: {error.strerror or error}.", hint, command)
    if "127.0.0.1" in found:
        return passed("localhost is 127.0.0.1.")
    return Verdict("fail", f"localhost is {', '.join(sorted(found))}, and services listen on 127.0.0.1.", None, command)


def proxy(_: Subject) -> Verdict:
    """Where a proxy is set, it is not asked for this machine's own services."""
    names = [name for name in _PROXIES if os.environ.get(name) or os.environ.get(name.lower())]
    if not names:
        return passed("No proxy is set.")
    spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    asked = [host for host in _LOOPBACK if not _spares(spared, host)]
    if not asked:
        return passed(f"{', '.join(names)} is set, and NO_PROXY spares this machine.")
    message = f"{', '.join(names)} is set, and NO_PROXY does not spare {' and '.join(asked)}."
    hint = "Libraries of workflows would ask the proxy for services of this machine."
    return Verdict("warn", message, hint, "export NO_PROXY=localhost,127.0.0.1")


def _spares(spared: str, host: str) -> bool:
    """Whether NO_PROXY names `host`: as a name, everything (*), or a network (127.0.0.0/8)."""
    return any(entry in {"*", host} or _covers(entry, host) for entry in map(str.strip, spared.split(",")))


def _covers(entry: str, host: str) -> bool:
    try:
        return "/" in entry and ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
