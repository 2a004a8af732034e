"""The two collections of Nightscout that this workflow reads, and how each writes its dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

Bound = int | str  # a date as the API compares it: milliseconds since 1970 for entries, ISO text for treatments


@dataclass(frozen=True, slots=True)
class Collection:
    """One of Nightscout's collections: its path in the API, its field with the date, the column of it."""

    name: str
    path: str
    field: str
    time_column: str
    text_dates: bool = False

    @property
    def prefix(self) -> str:
        """Where its objects lie in the bucket."""
        return f"nightscout/raw/{self.name}/"

    def bound(self, moment: datetime) -> Bound:
        """Return a moment as this collection's dates are written."""
        utc = moment.astimezone(UTC)
        return utc.strftime("%Y-%m-%dT%H:%M:%S.000Z") if self.text_dates else int(utc.timestamp() * 1000)

    def moment(self, bound: Bound) -> datetime:
        """Return the moment that a bound stands for."""
        text = isinstance(bound, str)
        return datetime.fromisoformat(bound) if text else datetime.fromtimestamp(bound / 1000, UTC)


ENTRIES = Collection("entries", "/api/v1/entries.json", "date", "measured_at_utc")
TREATMENTS = Collection("treatments", "/api/v1/treatments.json", "created_at", "created_at_utc", text_dates=True)
