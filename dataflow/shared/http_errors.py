"""What can go wrong between us and an HTTP source, as SourceError without any secret in it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from dataflow.errors import SourceError
from dataflow.shared.masking import mask

if TYPE_CHECKING:
    import httpx

SHOWN = 120


class Failure(SourceError):
    """A SourceError that knows when the source wants to be asked again. `retry_after` is in seconds."""

    retry_after: float | None = None


def where(url: httpx.URL) -> str:
    """The address without user, password and query: those hold secrets."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def no_answer(url: httpx.URL, exc: Exception) -> Failure:
    """Refused, reset, timed out, cut off: worth another try."""
    import httpx

    timed_out = isinstance(exc, httpx.TimeoutException)
    return Failure(
        f"{where(url)} {'did not answer in time' if timed_out else 'does not answer'} ({type(exc).__name__})",
        code="SOURCE_UNAVAILABLE",
        hint="The source or the network is down, or slow; the next run goes on from here",
        retryable=True,
    )


def refused(response: httpx.Response) -> Failure | None:
    """The error that a status means, None for a success."""
    status, place = response.status_code, where(response.url)
    if response.is_success:
        return None
    if status in (401, 403):
        hint = "Check the token or password of this source"
        return Failure(f"{place} refused the credentials ({status})", code="SOURCE_UNAUTHORIZED", hint=hint)
    if status in (404, 410):
        hint = "Check the address of the source"
        return Failure(f"{place} does not exist ({status})", code="SOURCE_NOT_FOUND", hint=hint)
    if status == 429:
        return _too_many(response)
    if status >= 500 or status == 408:
        failure = Failure(
            f"{place} failed ({status})", code="SOURCE_UNAVAILABLE", hint=_excerpt(response), retryable=True
        )
        failure.retry_after = retry_after(response)
        return failure
    return Failure(f"{place} refused the request ({status})", code="SOURCE_REFUSED", hint=_excerpt(response))


def not_json(response: httpx.Response, exc: ValueError) -> Failure:
    """A body that is not JSON: a page for people will stay one, a torn body may come whole the next time."""
    place, start = where(response.url), response.text.lstrip()[:1]
    if start == "<":
        return Failure(
            f"{place} sent a web page instead of JSON",
            code="SOURCE_BAD_RESPONSE",
            hint="A login page or a proxy answers there; check the address of the source",
        )
    return Failure(
        f"{place} sent JSON that cannot be read: {mask(str(exc))}",
        code="SOURCE_BAD_RESPONSE",
        hint=f"It sent {len(response.content)} bytes, and they may be cut off",
        retryable=True,
    )


def unexpected(place: str, message: str, hint: str | None = None) -> Failure:
    """JSON, but not of the form that was asked for."""
    return Failure(f"{place} {message}", code="SOURCE_BAD_RESPONSE", hint=hint)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, from Retry-After as a number or as a date (RFC 9110 §10.2.3); None when it is absent or odd."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _too_many(response: httpx.Response) -> Failure:
    seconds = retry_after(response)
    when = f"; it asks for {seconds:.0f} s of patience" if seconds is not None else ""
    failure = Failure(
        f"{where(response.url)} takes no more requests for now (429){when}",
        code="SOURCE_RATE_LIMITED",
        hint="Lower rate_limit for this source, or run later",
        retryable=True,
    )
    failure.retry_after = seconds
    return failure


def _excerpt(response: httpx.Response) -> str | None:
    text = " ".join(response.text.split())[:SHOWN]
    return f"It said: {mask(text)}" if text and not text.startswith("<") else None
