"""The components that a page of Evidence may use.

components.txt names those of @evidence-dev/core-components 5.4.2 that say `evidenceInclude`: so its own preprocessor
knows them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

# Attributes whose words are columns of the component's data.
COLUMNS = frozenset(
    {"x", "y", "y2", "series", "value", "size", "name", "category", "date", "comparison", "sparkline"}
    | {"column", "groupBy"}
)
# Components that show columns of the data of the one around them.
PARENTS = {"Column": "DataTable"} | dict.fromkeys(("Line", "Bar", "Area", "Scatter", "Bubble"), "Chart")


@cache
def components() -> frozenset[str]:
    """Their names."""
    return frozenset(Path(__file__).with_name("components.txt").read_text(encoding="utf-8").split())
