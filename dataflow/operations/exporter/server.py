"""The exporter over HTTP: `/metrics` for Prometheus, `/-/ready` for health checks, `/alerts` for Alertmanager.

`/alerts` takes JSON only, and says so in its content type: no web page can make a browser send that to loopback.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dataflow.operations.exporter.collector import Collector, families

Start = Callable[..., Any]
Inbox = Callable[[dict[str, Any]], None]
_LARGEST = 1 << 20


class Metrics:
    """The collector in the form that prometheus_client's registry takes."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def describe(self) -> list[Any]:
        """Nothing: what there is is known when it is asked for."""
        return []

    def collect(self) -> Iterator[Any]:
        """The families of one scrape."""
        yield from families(self._collector.readings())


def application(collector: Collector, inbox: Inbox) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application. `inbox` takes what Alertmanager posts."""
    from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Metrics(collector))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ProcessCollector(registry=registry)
    metrics: Any = make_wsgi_app(registry)

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        match environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"):
            case "GET", "/metrics":
                return metrics(environ, start)
            case "GET", "/-/ready":
                return _answer(start, "200 OK", "ready")
            case "POST", "/alerts":
                return _answer(start, *_take(environ, inbox))
            case _:
                return _answer(start, "404 Not Found", "There is /metrics, /-/ready, and /alerts for Alertmanager.")

    return app


def _take(environ: dict[str, Any], inbox: Inbox) -> tuple[str, str]:
    """Read a message and hand it on; what is none is refused."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if not environ.get("CONTENT_TYPE", "").startswith("application/json"):
        return "415 Unsupported Media Type", "Send application/json."
    if not 0 < size <= _LARGEST:
        return "413 Content Too Large", f"Send 1 to {_LARGEST} bytes."
    try:
        message = json.loads(environ["wsgi.input"].read(size))
    except ValueError:
        return "400 Bad Request", "This is not JSON."
    if not isinstance(message, dict) or not isinstance(message.get("alerts"), list):
        return "400 Bad Request", "This is not what Alertmanager sends."
    inbox(message)
    return "200 OK", "taken"


def _answer(start: Start, status: str, text: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a line per scrape helps nobody."""


def serve(app: Any, host: str, port: int) -> None:
    """Answer until the process ends."""
    with make_server(host, port, app, server_class=_Server, handler_class=_Quiet) as server:
        server.serve_forever()
