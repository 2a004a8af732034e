"""How an HTTP source is read page by page. Each style turns a page into a token for the next one.

A token is a string, so that a workflow can keep it in its state and go on from there after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import httpx

Json = Any
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records. `next` is the token of the page after it, None on the last; numbers count from 1."""

    number: int
    records: list[dict[str, Any]]
    next: str | None = None


class Paging(Protocol):
    """A paging style: the request for a token (None is the first page), and the token after a page."""

    def request(self, path: str, params: Params, token: str | None) -> tuple[str, dict[str, Any]]:
        """Path (or absolute URL) and parameters of the request for a token."""
        ...

    def following(self, page: Page, body: Json, response: httpx.Response, token: str | None) -> str | None:
        """The token of the page after this one, None when it was the last."""
        ...


@dataclass(frozen=True, slots=True)
class CursorPaging:
    """The body carries a cursor at `at` (dotted), which goes into the parameter `parameter` of the next request."""

    parameter: str = "cursor"
    at: str = "next_cursor"

    def request(self, path: str, params: Params, token: str | None) -> tuple[str, dict[str, Any]]:
        """The same path, with the cursor once there is one."""
        return path, {**params, **({} if token is None else {self.parameter: token})}

    def following(self, page: Page, body: Json, response: httpx.Response, token: str | None) -> str | None:  # noqa: ARG002
        """The cursor in the body; an empty or missing one ends the paging."""
        cursor = dig(body, self.at)
        return str(cursor) if cursor not in (None, "", False) else None


@dataclass(frozen=True, slots=True)
class PageNumberPaging:
    """Pages are numbered from `first`; an empty page, or one shorter than `size`, is the last."""

    parameter: str = "page"
    first: int = 1
    size_parameter: str | None = None
    size: int | None = None

    def request(self, path: str, params: Params, token: str | None) -> tuple[str, dict[str, Any]]:
        """The same path, with the number of the page and its size."""
        size = {self.size_parameter: self.size} if self.size_parameter and self.size else {}
        return path, {**params, **size, self.parameter: token or str(self.first)}

    def following(self, page: Page, body: Json, response: httpx.Response, token: str | None) -> str | None:  # noqa: ARG002
        """The next number, unless the page was short."""
        short = len(page.records) < (self.size or 1)
        return None if short else str(int(token or self.first) + 1)


@dataclass(frozen=True, slots=True)
class LinkHeaderPaging:
    """The `Link` header names the next page with rel="next" (RFC 8288)."""

    def request(self, path: str, params: Params, token: str | None) -> tuple[str, dict[str, Any]]:
        """The link as it stands: it carries its own parameters."""
        return (path, dict(params)) if token is None else (token, {})

    def following(self, page: Page, body: Json, response: httpx.Response, token: str | None) -> str | None:  # noqa: ARG002
        """The address in the header, made absolute."""
        link = response.links.get("next", {}).get("url")
        return str(response.url.join(link)) if link else None


@dataclass(frozen=True, slots=True)
class ParameterPaging:
    """A function of the page gives the parameters of the next request, None to end: for sources with their own way."""

    next_params: Callable[[Page], Mapping[str, Any] | None]

    def request(self, path: str, params: Params, token: str | None) -> tuple[str, dict[str, Any]]:
        """The same path, with the parameters of the token over the given ones."""
        return path, {**params, **(json.loads(token) if token else {})}

    def following(self, page: Page, body: Json, response: httpx.Response, token: str | None) -> str | None:  # noqa: ARG002
        """What the function says, as JSON."""
        params = self.next_params(page)
        return None if params is None else json.dumps(dict(params), sort_keys=True)


def dig(body: Json, path: str) -> Json:
    """The value at a dotted path of nested objects, None where there is none."""
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body
