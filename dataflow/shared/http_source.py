"""An HTTP API as a source: JSON, page by page, at a bounded rate, tried again with growing and jittered pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataflow.errors import SourceError
from dataflow.shared.http_errors import Failure, no_answer, not_json, refused, unexpected, where
from dataflow.shared.paging import Json, Page, Paging, ParameterPaging, dig

if TYPE_CHECKING:
    import httpx
    import tenacity

CONNECT_SECONDS = 5.0
MAX_REDIRECTS = 5


class HttpSource:
    """One API below a base address, with its headers, parameters and credentials. Use it as a context manager.

    `rate_limit` is requests a second; `timeout` seconds for one answer; `retries` how often a passing fault is tried
    again; `patience` the longest single pause in seconds, also when the source asks for more.

    Methods raise SourceError: SOURCE_UNAUTHORIZED, SOURCE_NOT_FOUND, SOURCE_RATE_LIMITED, SOURCE_UNAVAILABLE (the last
    two retryable), SOURCE_BAD_RESPONSE, SOURCE_REFUSED, SOURCE_ADDRESS.
    No message holds a query, a header or a password.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        auth: httpx.Auth | tuple[str, str] | None = None,
        rate_limit: float | None = None,
        timeout: float = 30.0,
        retries: int = 4,
        patience: float = 60.0,
    ) -> None:
        import httpx

        self._client = httpx.Client(
            base_url=_address(base_url),
            headers={"accept": "application/json", **(headers or {})},
            params=dict(params or {}),
            auth=auth,
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        )
        self._gap = 1 / rate_limit if rate_limit else 0.0
        self._next_request = 0.0
        self._retries = retries
        self._patience = patience

    def __enter__(self) -> HttpSource:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get_json(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """The JSON that a path answers with."""
        return self._fetch(path, params or {})[0]

    def pages(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        paging: Paging | Callable[[Page], Mapping[str, Any] | None] | None = None,
        records: str | None = None,
        start: str | None = None,
    ) -> Iterator[Page]:
        """The pages of a list, first to last, each fetched when it is asked for.

        `records` is the dotted place of the list in the body, None when the body is the list; `start` is the `next`
        of a page seen before, to go on after it. A page that would repeat the one before ends in SOURCE_BAD_RESPONSE.
        """
        style = ParameterPaging(paging) if callable(paging) else paging or ParameterPaging(_only_page)
        token, number = start, 0
        while True:
            number += 1
            target, query = style.request(path, params or {}, token)
            body, response = self._fetch(target, query)
            page = Page(number, _records(body, records, where(response.url)))
            following = style.following(page, body, response, token)
            if following is not None and following == token:
                raise unexpected(where(response.url), f"pages in a circle: page {number} names itself as the next")
            yield Page(page.number, page.records, following)
            if following is None:
                return
            token = following

    def _fetch(self, path: str, params: Mapping[str, Any]) -> tuple[Json, httpx.Response]:
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._worth_another_try),
            stop=tenacity.stop_after_attempt(self._retries + 1),
            wait=self._pause,
            reraise=True,
        )
        return retrying(self._once, path, params)

    def _once(self, path: str, params: Mapping[str, Any]) -> tuple[Json, httpx.Response]:
        import httpx

        self._keep_the_rate()
        try:
            response = self._follow(self._client.build_request("GET", path, params=dict(params) or None))
        except httpx.InvalidURL as exc:
            raise unexpected(where(self._client.base_url), "sends us on to an address that cannot be") from exc
        except (httpx.TransportError, httpx.DecodingError) as exc:
            raise no_answer(exc.request.url, exc) from exc
        if (failure := refused(response)) is not None:
            raise failure
        try:
            return response.json(), response
        except ValueError as exc:  # bad JSON and bad UTF-8 alike
            raise not_json(response, exc) from exc

    def _worth_another_try(self, exc: BaseException) -> bool:
        if not isinstance(exc, Failure) or not exc.retryable:
            return False
        return exc.retry_after is None or exc.retry_after <= self._patience

    def _pause(self, state: tenacity.RetryCallState) -> float:
        import tenacity

        exc = state.outcome.exception() if state.outcome else None
        if isinstance(exc, Failure) and exc.retry_after is not None:
            return exc.retry_after
        return tenacity.wait_random_exponential(multiplier=0.5, max=self._patience)(state)

    def _keep_the_rate(self) -> None:
        now = time.monotonic()
        if self._next_request > now:
            time.sleep(self._next_request - now)
        self._next_request = max(now, self._next_request) + self._gap

    def _follow(self, request: httpx.Request) -> httpx.Response:
        """Send; follow redirects and links on our own host only, since our headers would go elsewhere with them."""
        for _ in range(MAX_REDIRECTS):
            if not _same_site(request.url, self._client.base_url):
                place, host = where(self._client.base_url), request.url.host
                raise unexpected(place, f"sends us on to {host}", "Our credentials were not sent there")
            response = self._client.send(request)
            if response.next_request is None:
                return response
            request = response.next_request
        raise unexpected(where(request.url), "sends us on in a circle")


def _address(text: str) -> httpx.URL:
    import httpx

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme in ("http", "https") and url.host:
        return url
    # The text itself stays out of the message: a mistyped address may hold a password.
    raise SourceError("The address of the source is no URL", code="SOURCE_ADDRESS", hint="Write https://host/path")


def _same_site(url: httpx.URL, base: httpx.URL) -> bool:
    upgraded = url.host == base.host and (base.scheme, url.scheme) == ("http", "https")
    return upgraded or (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)


def _only_page(page: Page) -> None:
    """Without paging, the first page is the last."""


def _records(body: Json, at: str | None, place: str) -> list[dict[str, Any]]:
    found = dig(body, at) if at else body
    if not isinstance(found, list):
        kind = type(found).__name__
        hint = "Name the place of the list with records=" if at is None else f"Looked at {at!r}"
        raise unexpected(place, f"sent {kind} where a list of records was expected", hint)
    if not all(isinstance(record, dict) for record in found):
        raise unexpected(place, "sent a list whose elements are not objects")
    return found
