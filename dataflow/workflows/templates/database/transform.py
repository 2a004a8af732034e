"""What can be believed, and how it is written."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dataflow.shared.transform import Rule, Validated, clean_text, validate

RULES = (
    Rule("id", required=True),
    Rule("name", required=True),
    Rule("email", pattern=r"^[^@\s]+@[^@\s]+$"),
    Rule("country", pattern=r"^[A-Z]{2}$"),
)


def believed(table: pa.Table) -> Validated:
    """Rows that break a rule are set apart with the reasons."""
    table = clean_text(table)
    place = table.column_names.index("country")
    return validate(table.set_column(place, "country", pc.utf8_upper(table["country"])), RULES)
