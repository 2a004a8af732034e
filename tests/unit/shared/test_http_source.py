"""The HTTP source against a real server on loopback that misbehaves as told."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dataflow.errors import SourceError
from dataflow.shared.ingest import CursorPaging, HttpSource, LinkHeaderPaging, Page, PageNumberPaging

from .conftest import Misbehaving, free_ports

Reply = Callable[[BaseHTTPRequestHandler], None]
SECRET = "s3cr3t-token-value"


def reply(
    body: Any = None, status: int = 200, *, raw: bytes | None = None, length: int | None = None, **headers: str
) -> Reply:
    data = json.dumps(body).encode() if raw is None else raw

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(length or len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return send


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1)


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def source(http: Misbehaving, **options: Any) -> HttpSource:
    return HttpSource(
        http.url, **{"headers": {"api-secret": SECRET}, "params": {"token": SECRET}, "retries": 0, **options}
    )


def failure(http: Misbehaving, *replies: Reply, **options: Any) -> SourceError:
    http.on("/x", *replies)
    with source(http, **options) as api, pytest.raises(SourceError) as caught:
        api.get_json("/x")
    text = f"{caught.value} {caught.value.hint} {caught.value.actions}"
    assert SECRET not in text
    return caught.value


def test_json_comes_back_and_the_headers_and_parameters_went_out(http: Misbehaving) -> None:
    http.on("/x", reply({"a": 1}))
    with source(http) as api:
        assert api.get_json("x", {"q": "ä b"}) == {"a": 1}
    path, headers = http.requests[0]
    assert parse_qs(urlsplit(path).query) == {"token": [SECRET], "q": ["ä b"]}
    assert headers["api-secret"] == SECRET


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (401, "SOURCE_UNAUTHORIZED", False),
        (403, "SOURCE_UNAUTHORIZED", False),
        (404, "SOURCE_NOT_FOUND", False),
        (418, "SOURCE_REFUSED", False),
        (429, "SOURCE_RATE_LIMITED", True),
        (500, "SOURCE_UNAVAILABLE", True),
        (503, "SOURCE_UNAVAILABLE", True),
    ],
)
def test_a_status_becomes_its_own_error(http: Misbehaving, status: int, code: str, retryable: bool) -> None:
    error = failure(http, reply({"message": f"bad token={SECRET}"}, status))
    assert (error.code, error.retryable) == (code, retryable)
    assert str(status) in error.message


def test_refused_credentials_are_not_tried_again(http: Misbehaving) -> None:
    failure(http, reply({}, 401), retries=5)
    assert len(http.requests) == 1


def test_a_server_error_that_passes_is_not_noticed(http: Misbehaving) -> None:
    http.on("/x", reply({}, 500), reset, reply({}, 503), reply([1]))
    with source(http, retries=4, patience=0.05) as api:
        assert api.get_json("/x") == [1]
    assert len(http.requests) == 4


def test_retry_after_in_seconds_is_honoured(http: Misbehaving) -> None:
    http.on("/x", reply({}, 429, retry_after="1"), reply([1]))
    began = time.monotonic()
    with source(http, retries=1) as api:
        assert api.get_json("/x") == [1]
    assert 1 <= time.monotonic() - began < 3


def test_retry_after_as_a_date_is_honoured(http: Misbehaving) -> None:
    http.on("/x", reply({}, 429, retry_after=formatdate(time.time() + 2, usegmt=True)), reply([1]))
    began = time.monotonic()
    with source(http, retries=1) as api:
        assert api.get_json("/x") == [1]
    assert 0.5 < time.monotonic() - began < 4


def test_a_retry_after_beyond_patience_fails_at_once_and_says_how_long(http: Misbehaving) -> None:
    began = time.monotonic()
    error = failure(http, reply({}, 429, retry_after="3600"), retries=5)
    assert time.monotonic() - began < 1
    assert (error.code, len(http.requests)) == ("SOURCE_RATE_LIMITED", 1)
    assert "3600 s" in error.message


def test_a_silent_server_times_out(http: Misbehaving) -> None:
    error = failure(http, hang, timeout=0.2)
    assert (error.code, "in time" in error.message) == ("SOURCE_UNAVAILABLE", True)


def test_a_refused_connection_is_unavailable() -> None:
    with HttpSource(f"http://127.0.0.1:{free_ports(1)[0]}", retries=0) as api, pytest.raises(SourceError) as caught:
        api.get_json("/x")
    assert (caught.value.code, caught.value.retryable) == ("SOURCE_UNAVAILABLE", True)


def test_json_cut_off_by_the_server_is_a_bad_response(http: Misbehaving) -> None:
    assert failure(http, reply(raw=b'[{"a": 1}, {"a"')).code == "SOURCE_BAD_RESPONSE"


def test_a_body_shorter_than_announced_is_tried_again(http: Misbehaving) -> None:
    http.on("/x", reply(raw=b'[{"a"', length=500), reply([1]))
    with source(http, retries=1, patience=0.05) as api:
        assert api.get_json("/x") == [1]


def test_a_web_page_instead_of_json_is_said_to_be_one(http: Misbehaving) -> None:
    error = failure(http, reply(raw=b"<!DOCTYPE html><title>Login</title>", content_type="text/html"), retries=3)
    assert (error.code, "web page" in error.message, len(http.requests)) == ("SOURCE_BAD_RESPONSE", True, 1)


def test_bytes_that_are_no_text_are_a_bad_response(http: Misbehaving) -> None:
    assert failure(http, reply(raw=b"\xff\xfe\x00\x81")).code == "SOURCE_BAD_RESPONSE"


@pytest.mark.parametrize("base", ["nonsense", "ftp://host", "http://host:port"])
def test_an_address_that_cannot_be_is_a_source_error(base: str) -> None:
    with pytest.raises(SourceError) as caught:
        HttpSource(base)
    assert (caught.value.code, base in str(caught.value)) == ("SOURCE_ADDRESS", False)


def test_the_rate_is_kept(http: Misbehaving) -> None:
    http.on("/x", reply([]))
    began = time.monotonic()
    with source(http, rate_limit=20) as api:
        for _ in range(5):
            api.get_json("/x")
    assert time.monotonic() - began >= 0.2


def test_numbered_pages_end_with_the_short_one(http: Misbehaving) -> None:
    http.on("/x", reply([{"a": 1}, {"a": 2}]), reply([{"a": 3}]))
    with source(http) as api:
        pages = list(api.pages("/x", paging=PageNumberPaging(size=2, size_parameter="count")))
    assert [page.records for page in pages] == [[{"a": 1}, {"a": 2}], [{"a": 3}]]
    assert "page=2" in http.requests[1][0]
    assert "count=2" in http.requests[1][0]


def test_numbered_pages_of_unknown_size_end_with_the_empty_one(http: Misbehaving) -> None:
    http.on("/x", reply([{"a": 1}]), reply([{"a": 2}]), reply([]))
    with source(http) as api:
        assert [page.number for page in api.pages("/x", paging=PageNumberPaging())] == [1, 2, 3]


def test_a_cursor_in_the_body_leads_on(http: Misbehaving) -> None:
    http.on("/x", reply({"data": [{"a": 1}], "meta": {"next": "c2"}}), reply({"data": [{"a": 2}], "meta": {}}))
    with source(http) as api:
        pages = list(api.pages("/x", paging=CursorPaging(at="meta.next"), records="data"))
    assert [page.next for page in pages] == ["c2", None]
    assert "cursor=c2" in http.requests[1][0]


def test_a_link_header_leads_on(http: Misbehaving) -> None:
    http.on("/x", reply([{"a": 1}], link='</y?after=1>; rel="next"'))
    http.on("/y", reply([{"a": 2}]))
    with source(http) as api:
        assert [page.records[0]["a"] for page in api.pages("/x", paging=LinkHeaderPaging())] == [1, 2]
    assert http.requests[1][1]["api-secret"] == SECRET


@pytest.mark.parametrize("way", ["link", "redirect"])
def test_credentials_never_follow_to_another_host(http: Misbehaving, way: str) -> None:
    other = "http://127.0.0.2:9/steal"
    http.on("/x", reply([{}], link=f'<{other}>; rel="next"') if way == "link" else reply({}, 302, location=other))
    with source(http) as api, pytest.raises(SourceError) as caught:
        list(api.pages("/x", paging=LinkHeaderPaging()))
    assert (caught.value.code, "127.0.0.2" in caught.value.message) == ("SOURCE_BAD_RESPONSE", True)


def test_a_redirect_on_the_same_host_is_followed(http: Misbehaving) -> None:
    http.on("/x", reply({}, 302, location="/y"))
    http.on("/y", reply([1]))
    with source(http) as api:
        assert api.get_json("/x") == [1]


def test_a_redirect_in_a_circle_ends(http: Misbehaving) -> None:
    assert failure(http, reply({}, 302, location="/x")).code == "SOURCE_BAD_RESPONSE"


def test_a_function_leads_back_through_history_and_resumes_from_a_token(http: Misbehaving) -> None:
    def older(page: Page) -> dict[str, Any] | None:
        return {"find[date][$lt]": min(record["date"] for record in page.records)} if page.records else None

    def history(handler: BaseHTTPRequestHandler) -> None:
        before = int(parse_qs(urlsplit(handler.path).query).get("find[date][$lt]", ["7"])[0])
        reply([{"date": n} for n in range(before - 1, max(0, before - 4), -1)])(handler)

    http.on("/x", history)
    with source(http) as api:
        pages = list(api.pages("/x", paging=older))
        again = list(api.pages("/x", paging=older, start=pages[0].next))
    dates = [[record["date"] for record in page.records] for page in pages]
    assert dates == [[6, 5, 4], [3, 2, 1], []]
    assert [page.records for page in again] == [page.records for page in pages[1:]]


def test_paging_in_a_circle_is_noticed(http: Misbehaving) -> None:
    http.on("/x", reply({"data": [{}], "next": "same"}))
    with source(http) as api, pytest.raises(SourceError, match="circle"):
        list(api.pages("/x", paging=CursorPaging(at="next"), records="data"))


def test_without_paging_the_first_page_is_the_last(http: Misbehaving) -> None:
    http.on("/x", reply([{"a": 1}]))
    with source(http, params={}) as api:
        assert [page.records for page in api.pages("/x")] == [[{"a": 1}]]
    assert http.requests[0][0] == "/x"


@pytest.mark.parametrize("body", [{"data": []}, "text", [1, 2], None])
def test_a_body_that_is_no_list_of_records_is_a_bad_response(http: Misbehaving, body: Any) -> None:
    http.on("/x", reply(body))
    with source(http) as api, pytest.raises(SourceError) as caught:
        list(api.pages("/x"))
    assert caught.value.code == "SOURCE_BAD_RESPONSE"


def test_a_page_that_fails_half_way_keeps_the_pages_before(http: Misbehaving) -> None:
    http.on("/x", reply([{"a": 1}]), reply({}, 500), reply([]))
    seen: list[Page] = []
    with source(http) as api:
        with pytest.raises(SourceError):
            seen.extend(api.pages("/x", paging=PageNumberPaging()))
        rest = list(api.pages("/x", paging=PageNumberPaging(), start="2"))
    assert rest[0].records == []
