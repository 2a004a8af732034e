"""What can be believed of an event, and which came too late."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dataflow.shared.transform import Rule, Validated, clean_text, deduplicate, validate

from .settings import Settings


def believed(table: pa.Table, settings: Settings) -> Validated:
    """The first copy of each event; rows that break a rule are set apart with the reasons."""
    rules = [
        *(Rule(name, required=True) for name in ("event_id", "happened_at", "received_at", "visitor")),
        Rule("page", required=True, pattern="^/"),
        Rule("days_late", minimum=0, maximum=settings.latest_days),
    ]
    once = deduplicate(clean_text(table), ["event_id"], keep="first", order_by="received_at")
    late = pc.subtract(once["received_at"], once["happened_at"])
    days = pc.divide(pc.cast(late, pa.int64()), timedelta(days=1) // timedelta(microseconds=1))
    parted = validate(once.append_column("days_late", days), rules)
    return Validated(parted.valid.drop_columns("days_late"), parted.rejected)
