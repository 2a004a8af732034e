"""The types of a CSV file's columns, by looking at every value: a type is taken only where no value loses by it.

Every value either is written as the type's pattern says, or cannot be cast at all and is told as a misfit. A value
that DuckDB would cast but that is written in another way (`007`, `+49`, `1_000`, `0x1F`, twenty digits, a time where
others are dates) makes the column text, or a wider type: it would come back as something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MISFITS = 0.02  # of a column's values may not fit its type; they are set aside. With more it stays text
SAMPLE = 2_000  # rows that tell which types are worth a look at all values
DAY, TIME = r"\d{4}-\d{2}-\d{2}", r"[ T]\d{2}:\d{2}"
# Narrow before wide. 18 digits always fit a BIGINT, 15 before the point a DOUBLE.
PATTERNS = {
    "BIGINT": r"-?(0|[1-9]\d{0,17})",
    "DOUBLE": r"(?i)-?((0|[1-9]\d{0,14})(\.\d*)?|\.\d+)(e[+-]?[0-2]?\d{1,2})?|nan",
    "DATE": DAY,
    "TIMESTAMP": rf"{DAY}({TIME}(:\d{{2}}(\.\d{{1,6}})?)?)?",
    "TIMESTAMP WITH TIME ZONE": rf"{DAY}{TIME}:\d{{2}}(\.\d{{1,6}})?(Z|[+-]\d{{2}}(:?\d{{2}})?)",
    "BOOLEAN": r"(?i)true|false",
}
TEXT = "VARCHAR"


def inferred(connection: DuckDBPyConnection, texts: str, names: list[str]) -> dict[str, str]:
    """The type of each column of a SELECT that gives all of them as text."""
    likely = _counted(connection, f"({texts} LIMIT {SAMPLE})", {name: list(PATTERNS) for name in names})
    candidates = {
        name: [kind for kind, (values, fits, _) in kinds.items() if 2 * fits >= values]
        for name, kinds in likely.items()
    }
    counted = _counted(connection, f"({texts})", {name: kinds for name, kinds in candidates.items() if kinds})
    return {name: _choice(counted.get(name, {})) for name in names}


def _counted(
    connection: DuckDBPyConnection, source: str, candidates: dict[str, list[str]]
) -> dict[str, dict[str, tuple[int, int, int]]]:
    """Of each column and type: values, values that fit, and values that would become something else."""
    asked = [(name, kind) for name, kinds in candidates.items() for kind in kinds]
    if not asked:
        return {}
    counts = ", ".join(_counts(quote(name), kind) for name, kind in asked)
    row = [int(number) for number in connection.execute(f"SELECT {counts} FROM {source}").fetchall()[0]]
    found: dict[str, dict[str, tuple[int, int, int]]] = {name: {} for name in candidates}
    for place, (name, kind) in enumerate(asked):
        values, fits, others = row[3 * place : 3 * place + 3]
        found[name][kind] = (values, fits, others)
    return found


def _counts(column: str, kind: str) -> str:
    written = f"regexp_full_match(trim({column}), '{PATTERNS[kind]}')"
    cast = f"TRY_CAST({column} AS {kind}) IS NOT NULL"
    return (
        f"count({column}), count(*) FILTER ({written} AND {cast}), "
        f"count(*) FILTER ({column} IS NOT NULL AND NOT {written} AND {cast})"
    )


def _choice(counted: dict[str, tuple[int, int, int]]) -> str:
    """The type that fits most values, the narrower of equals."""
    possible = {
        kind: fits
        for kind, (values, fits, others) in counted.items()
        if fits and not others and values - fits <= MISFITS * values
    }
    return max(possible, key=lambda kind: possible[kind]) if possible else TEXT
