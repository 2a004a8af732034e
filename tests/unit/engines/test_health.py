from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dataflow.config.services import Probe, ServiceSpec
from dataflow.engines.health import probe, probe_all
from dataflow.errors import BackendError
from dataflow.system.http import ask_json
from dataflow.system.ports import next_free


class Answers(BaseHTTPRequestHandler):
    """Answers by path, and a POST with what was sent."""

    def do_GET(self) -> None:
        status, body = {"/ok": (200, b'{"fine": true}'), "/bad": (503, b""), "/html": (200, b"<html>")}[self.path]
        self._send(status, body)

    def do_POST(self) -> None:
        self._send(200, self.rfile.read(int(self.headers["Content-Length"])))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def service(**health: str) -> ServiceSpec:
    return ServiceSpec(name="web", label="Web", group="application", health=Probe(**health))


def fill(port: int):
    return lambda _service, text: text.replace("{{http}}", str(port))


@pytest.mark.parametrize(
    ("health", "wanted"),
    [
        ({"url": "http://127.0.0.1:{{http}}/ok"}, "healthy"),
        ({"url": "http://127.0.0.1:{{http}}/bad"}, "unhealthy"),
        ({"url": "http://127.0.0.1:{{http}}/ok", "reject": '"fine": true'}, "unhealthy"),
        ({"url": "http://127.0.0.1:{{http}}/any", "body": '{"query": "x"}', "reject": "errors"}, "healthy"),
        ({"tcp": "http"}, "healthy"),
        ({}, "none"),
    ],
)
def test_a_service_is_healthy_when_what_users_use_answers(port: int, health: dict[str, str], wanted: str) -> None:
    assert probe(service(**health), {"web"}, fill(port)).health == wanted


def test_a_port_that_nobody_listens_on_is_unhealthy_and_says_which() -> None:
    closed = next_free(37000)
    for health in ({"tcp": "http"}, {"url": "http://127.0.0.1:{{http}}/ok"}):
        seen = probe(service(**health), {"web"}, fill(closed))
        assert seen.health == "unhealthy"
        assert str(closed) in seen.detail


def test_what_is_asked_through_another_service_is_unknown_while_that_one_is_down(port: int) -> None:
    spec = service(url="http://127.0.0.1:{{http}}/ok", through="front")
    assert probe(spec, {"web"}, fill(port)).health == "unknown"
    assert probe(spec, {"web", "front"}, fill(port)).health == "healthy"


def test_only_running_services_are_asked(port: int) -> None:
    assert probe_all({"web": service(tcp="http")}, set(), fill(port)) == {}
    assert set(probe_all({"web": service(tcp="http")}, {"web"}, fill(port))) == {"web"}


def test_json_that_is_none_and_a_server_that_is_none_are_errors_that_name_the_service(port: int) -> None:
    with pytest.raises(BackendError, match="Loki") as nonsense:
        ask_json(f"http://127.0.0.1:{port}/html", service="Loki")
    assert nonsense.value.code == "BACKEND_NONSENSE"
    with pytest.raises(BackendError, match="Loki") as down:
        ask_json(f"http://127.0.0.1:{next_free(37500)}/", service="Loki")
    assert down.value.code == "BACKEND_DOWN"
    assert ask_json(f"http://127.0.0.1:{port}/ok", service="Loki") == (200, {"fine": True})
