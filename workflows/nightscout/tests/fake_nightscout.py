"""A Nightscout site for tests: a real HTTP server on loopback that speaks the part of API v1 that the workflow uses.

It behaves as the real one where that matters: without a condition on the date only the last four days are answered, a
condition compares only values of its own type (as MongoDB does), the newest come first, ten by default.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = dict[str, Any]

TOKEN = "reader-0123456789abcdef"
SECRET = "a long secret phrase"
DATE_FIELDS = {"entries": "date", "treatments": "created_at"}
OPERATORS = {
    "$lt": lambda value, bound: value < bound,
    "$lte": lambda value, bound: value <= bound,
    "$gt": lambda value, bound: value > bound,
    "$gte": lambda value, bound: value >= bound,
}


class FakeNightscout:
    """The site's documents, the requests it saw, and the failure it should have at a given request."""

    def __init__(self, entries: list[Document], treatments: list[Document]) -> None:
        self.documents = {"entries": entries, "treatments": treatments}
        self.requests: list[str] = []
        self.broken: dict[int, tuple[int, bytes]] = {}
        self.url = ""

    def fail_at(self, number: int, status: int = 500, body: bytes = b"Internal Server Error") -> None:
        """Answer the request with this number (from 1, all requests counted) with an error, and every later one."""
        self.broken = {number: (status, body)}

    def heal(self) -> None:
        self.broken = {}

    def answer(self, path: str, query: dict[str, list[str]], secret: str | None) -> tuple[int, bytes]:
        self.requests.append(path)
        for number, failure in self.broken.items():
            if len(self.requests) >= number:
                return failure
        if query.get("token") != [TOKEN] and secret != hashlib.sha1(SECRET.encode()).hexdigest():
            return 401, json.dumps({"status": 401, "message": "Unauthorized"}).encode()
        found = re.fullmatch(r"/api/v1/(entries|treatments)\.json", path)
        if not found:
            return 404, b"Cannot GET " + path.encode()
        return 200, json.dumps(self._select(found[1], query)).encode()

    def _select(self, collection: str, query: dict[str, list[str]]) -> list[Document]:
        field = DATE_FIELDS[collection]
        kind = int if collection == "entries" else str
        conditions = [
            (OPERATORS[key[len(f"find[{field}][") : -1]], kind(values[0]))
            for key, values in query.items()
            if key.startswith(f"find[{field}][")
        ]
        if not conditions:
            floor = datetime.now(UTC) - timedelta(days=4)
            bound = int(floor.timestamp() * 1000) if kind is int else floor.isoformat()
            conditions = [(OPERATORS["$gte"], bound)]
        chosen = [
            document
            for document in self.documents[collection]
            if isinstance(document.get(field), kind)
            and all(holds(document[field], bound) for holds, bound in conditions)
        ]
        chosen.sort(key=lambda document: document[field], reverse=True)
        return chosen[: int(query.get("count", ["10"])[0])]


@contextmanager
def serving(site: FakeNightscout) -> Iterator[FakeNightscout]:
    """Serve the site on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = site.answer(parts.path, parse_qs(parts.query), self.headers.get("api-secret"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a test's output is for its failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
