"""From the texts of the source to typed columns, and what of them can be believed."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from dataflow.shared.transform import Rule, Validated, clean_text, deduplicate, to_utc, validate

NUMBER = r"^-?\d+(\.\d+)?$"
STATES = ("open", "closed", "waiting")


def believed(table: pa.Table) -> Validated:
    """The newest version of each ticket; rows that break a rule are set apart with the reasons."""
    rules = [
        Rule("id", required=True, pattern=r"^\d+$"),
        Rule("state", required=True, one_of=STATES),
        Rule("created_at", required=True, pattern=r"^\d{4}-\d\d-\d\dT"),
        Rule("updated_at", required=True),
        Rule("hours", pattern=NUMBER),
    ]
    return validate(deduplicate(clean_text(table), ["id"], order_by="updated_at"), rules)


def typed(table: pa.Table) -> pa.Table:
    """Numbers and times, in UTC."""
    for name, kind in (("id", pa.int64()), ("hours", pa.float64())):
        table = table.set_column(table.column_names.index(name), name, pc.cast(table[name], kind))
    for name in ("created_at", "updated_at"):
        table = to_utc(table, name)
    return table
