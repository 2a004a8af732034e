"""Short questions to services on this machine, over the standard library: a command must start fast."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dataflow.errors import BackendError


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code and body of an HTTP answer."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", errors="replace")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket at `path`."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(url: str, *, body: object = None, method: str = "GET", timeout: float = 3.0) -> Answer:
    """GET `url`, or POST `body` as JSON; or another `method`, without a body.

    Raises OSError or http.client.HTTPException when nobody answers.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout)
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    try:
        if body is None:
            connection.request(method, target)
        else:
            connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


def ask_json(url: str, *, service: str, body: object = None, timeout: float = 10.0) -> tuple[int, Any]:
    """Status and parsed JSON. Raises BackendError BACKEND_DOWN or BACKEND_NONSENSE that names `service`."""
    try:
        answer = ask(url, body=body, timeout=timeout)
    except (OSError, http.client.HTTPException) as error:
        message = f"{service} does not answer at {url}: {error or type(error).__name__}."
        raise BackendError(message, code="BACKEND_DOWN", retryable=True) from error
    try:
        return answer.status, json.loads(answer.body)
    except ValueError as error:
        message = f"{service} answered {answer.status} with something that is not JSON."
        raise BackendError(message, code="BACKEND_NONSENSE", hint=answer.text[:200]) from error
