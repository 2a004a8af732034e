"""Read a Nightscout site through its API v1: newest first, page by page, back through history.

Three habits of the API shape this code. Without a condition on the date it answers with the last four days only, so
each request carries one. It has no cursor, so the oldest date of a page bounds the next; "at or before", since two
documents may share a date. And the date of a treatment is text in UTC, compared as text.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataflow.errors import Action, ConfigurationError, SourceError

from .collection import Bound, Collection

if TYPE_CHECKING:
    from dataflow.shared.ingest import HttpSource

    from .settings import ApiSource

Documents = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of history still to be read: from `upper` (itself only if `inclusive`) back to `floor`."""

    upper: Bound
    floor: Bound
    inclusive: bool = False


def connect(source: ApiSource) -> HttpSource:
    """Return the site with its credentials: the token as a parameter, or the secret's SHA-1 as a header.

    Raises:
        ConfigurationError: SECRET_MISSING, naming the variable and never a value.
    """
    from dataflow.shared.ingest import HttpSource

    headers, params = {}, {}
    if source.auth == "api-secret":
        # SHA-1 is what the protocol asks for: https://nightscout.github.io/nightscout/security
        headers["api-secret"] = hashlib.sha1(
            _secret("NIGHTSCOUT_API_SECRET").encode(), usedforsecurity=False
        ).hexdigest()
    elif source.auth == "token":
        params["token"] = _secret("NIGHTSCOUT_TOKEN")
    url = str(source.url).rstrip("/")
    return HttpSource(
        url, headers=headers, params=params, rate_limit=source.requests_per_second, retries=source.retries
    )


def pages(
    api: HttpSource, collection: Collection, span: Span, *, count: int
) -> Iterator[tuple[Documents, Span | None]]:
    """Yield each page, and what is left to read after it (None after the last).

    Whoever saves that span after keeping the page can go on from there, whatever happens next.

    Raises:
        SourceError: as `HttpSource.get_json` does, and SOURCE_BAD_RESPONSE where the answer is no list of documents.
    """
    following: Span | None = span
    while following is not None:
        found = api.get_json(collection.path, _params(collection.field, following, count))
        if not isinstance(found, list) or not all(isinstance(document, dict) for document in found):
            message = f"{collection.path} did not answer with a list of documents."
            hint = "Is settings.source.url the address of a Nightscout site?"
            raise SourceError(message, code="SOURCE_BAD_RESPONSE", hint=hint)
        following = _after(found, collection.field, following, count)
        yield found, following


def _params(field: str, span: Span, count: int) -> dict[str, Any]:
    below = "$lte" if span.inclusive else "$lt"
    return {"count": count, f"find[{field}][$gte]": span.floor, f"find[{field}][{below}]": span.upper}


def _after(found: Documents, field: str, span: Span, count: int) -> Span | None:
    """Return what is left. A whole page of one date would come again for ever: then step below that date."""
    dates = [document[field] for document in found if isinstance(document.get(field), type(span.upper))]
    if len(found) < count or not dates:
        return None
    oldest = min(dates)
    return Span(oldest, span.floor, inclusive=oldest != span.upper)


def _secret(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        message = f"The secret {name} is not set."
        hint = "settings.source.auth in config.yaml asks for it."
        action = Action("Put it into .env", f"echo '{name}=…' >> .env")
        raise ConfigurationError(message, code="SECRET_MISSING", hint=hint, actions=(action,))
    return value
