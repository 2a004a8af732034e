"""Casts that a load may not make in silence: DuckDB stores 2.5 in a BIGINT column as 2, and a time in a DATE one as
its day.
"""

from __future__ import annotations

import re

from dataflow.shared.identifiers import quote

Columns = list[tuple[str, str]]
INTEGER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$")
FRACTION = re.compile(r"FLOAT|DOUBLE|DECIMAL")


def guarded(source: str, columns: Columns, existing: Columns) -> str:
    """The source, of these columns, as a relation that raises at a value the table's column would change."""
    kinds = {name.lower(): kind for name, kind in existing}
    checks = [
        _checked(quote(name), kind, kinds[name.lower()])
        for name, kind in columns
        if name.lower() in kinds and _may_lose(kind, kinds[name.lower()])
    ]
    return f"(SELECT * REPLACE ({', '.join(checks)}) FROM {source})" if checks else source


def _may_lose(kind: str, target: str) -> bool:
    if INTEGER.match(target):
        return FRACTION.match(kind) is not None
    return target == "DATE" and kind.startswith("TIMESTAMP")


def _checked(column: str, kind: str, target: str) -> str:
    told = column.replace("'", "''")
    message = f"'{told}: the table has {target} there, which ' || {column} || ' does not fit'"
    return (
        f"CASE WHEN {column} IS NULL OR CAST(CAST({column} AS {target}) AS {kind}) = {column} THEN {column} "
        f"ELSE error({message}) END AS {column}"
    )
