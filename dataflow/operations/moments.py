"""Moments as people write them: 10m, 2h, 1d ago; 14:30 today; 2026-11-24; 2026-11-24T14:30:05Z."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from dataflow.errors import UsageError

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")


def span(text: str) -> timedelta | None:
    """A length of time such as 90s, 15m, 1h30m, 2d or 1w; None for anything else."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return timedelta(**{_UNITS[unit]: float(number) for number, unit in parts})


def moment(text: str, now: datetime) -> datetime:
    """The moment that a text means, with a time zone; without one it is this machine's.

    Raises:
        UsageError: TIME_INVALID.
    """
    clean = text.strip()
    if clean == "now":
        return now
    if (ago := span(clean.removesuffix(" ago"))) is not None:
        return now - ago
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", clean):
            return datetime.combine(now.astimezone().date(), time.fromisoformat(clean.zfill(5))).astimezone()
        return datetime.fromisoformat(clean).astimezone()
    except ValueError:
        hint = "Use 10m, 2h or 1d (that long ago), 14:30 (today), 2026-11-24 or 2026-11-24T14:30:05Z."
        raise UsageError(f"'{text}' is no time.", code="TIME_INVALID", hint=hint) from None
