"""`dataflow workflow test workflow_name`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dataflow.shared.minio import ObjectStore
from dataflow.testing import Workbench
from workflows.workflow_name.ingestion import SAMPLE, land_pages, pages
from workflows.workflow_name.settings import ApiSource


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiSource]:
    """The sample behind a real server that pages it by two and wants a token."""
    monkeypatch.setenv("WORKFLOW_NAME_TOKEN", "s3cret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ApiSource(kind="api", url=f"http://127.0.0.1:{server.server_port}", page_size=2, requests_per_second=1000)
        server.shutdown()


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        rows: list[dict[str, Any]] = sorted(json.loads(SAMPLE.read_text()), key=lambda row: row["updated_at"])
        rows = [row for row in rows if row["updated_at"] > asked.get("updated_after", "")]
        size, page = int(asked["per_page"]), int(asked["page"])
        allowed = self.headers["Authorization"] == "Bearer s3cret"
        body = json.dumps(rows[size * (page - 1) : size * page]).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_every_page_is_read_and_only_what_is_new(api: ApiSource) -> None:
    assert [len(page.records) for page in pages(api, None)] == [2, 2, 1]
    new = [record["id"] for page in pages(api, "2026-03-02T12:00:00Z") for record in page.records]
    assert new == [5, 3]


def test_a_page_that_lands_again_lands_on_itself(api: ApiSource, object_store: ObjectStore) -> None:
    first, newest = land_pages(pages(api, None), object_store, None)
    again, _ = land_pages(pages(api, None), object_store, None)
    assert (len(first), again) == (3, first)
    assert newest == "2026-03-03T16:20:00Z"
    assert len(list(object_store.list("lake"))) == 3


def test_it_runs_and_reads_nothing_twice(workbench: Workbench) -> None:
    assert workbench.run().success
    before = workbench.tables()
    assert len(before["raw_workflow_name.tickets"]) == 4
    assert len(before["raw_workflow_name.quarantine"]) == 1
    assert workbench.run().success
    assert workbench.run(full=True).success
    assert workbench.tables() == before
