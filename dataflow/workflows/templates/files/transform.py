"""What can be believed: rules for whole columns at once."""

from __future__ import annotations

import pyarrow as pa

from dataflow.shared.transform import Rule, Validated, clean_text, validate


def believed(table: pa.Table) -> Validated:
    """Rows that break a rule are set apart with the reasons."""
    rules = [
        Rule("order_id", required=True),
        Rule("ordered_at", required=True),
        Rule("customer", required=True),
        Rule("amount", required=True, minimum=0),
    ]
    return validate(clean_text(table), rules)
