"""What can be believed: rules for whole columns at once."""

from __future__ import annotations

import pyarrow as pa

from dataflow.shared.transform import Rule, Validated, clean_text, deduplicate, validate

from .settings import Settings


def believed(table: pa.Table, settings: Settings) -> Validated:
    """One row for each id; rows that break a rule are set apart with the reasons."""
    rules = [
        Rule("id", required=True),
        Rule("measured_at", required=True),
        Rule("value", required=True, minimum=settings.lowest),
    ]
    return validate(deduplicate(clean_text(table), ["id"], order_by="measured_at"), rules)
