"""How far a site has been read, in a form that survives: so that a read that broke off goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .collection import Bound, Collection
from .nightscout_api import Span

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # older than any continuous glucose monitor


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a site has been read: all up to `newest`, except the `rest` of a read that broke off.

    `reached` is the newest date of the read under way; it becomes `newest` when nothing is left between.
    """

    newest: Bound | None = None
    reached: Bound | None = None
    rest: Span | None = None

    @classmethod
    def read(cls, saved: dict[str, Any]) -> Progress:
        """Return the progress from its saved form; none where nothing was saved."""
        rest = saved.get("rest")
        return cls(saved.get("newest"), saved.get("reached"), Span(**rest) if rest else None)

    def write(self) -> dict[str, Any]:
        """Return the form to save."""
        return asdict(self)

    def after(
        self, documents: list[dict[str, Any]], collection: Collection, rest: Span | None, *, latest: Bound
    ) -> Progress:
        """Return the progress after one page. A date ahead of `latest` is a wrong clock and moves nothing."""
        kind = str if collection.text_dates else int
        dates = [
            date
            for document in documents
            if isinstance(date := document.get(collection.field), kind) and date <= latest
        ]
        reached = _latest(self.reached, *dates)
        if rest is not None:
            return replace(self, reached=reached, rest=rest)
        return Progress(_latest(self.newest, reached))

    def spans(
        self, collection: Collection, *, now: datetime, overlap: timedelta, first: timedelta | None
    ) -> Iterator[Span]:
        """Yield what to read: the rest of a broken read, then from now back to the newest date known before.

        `overlap` goes back further, for what was uploaded late; `first` bounds a first read (None: to the beginning).
        """
        newest = self.newest
        if self.rest is not None:
            yield self.rest
            newest = _latest(newest, self.reached)
        floor = now - first if first else BEGINNING
        if newest is not None:
            floor = collection.moment(newest) - overlap
        yield Span(collection.bound(now + timedelta(days=1)), collection.bound(floor))


def _latest(*dates: Bound | None) -> Bound | None:
    return max((date for date in dates if date is not None), default=None)
