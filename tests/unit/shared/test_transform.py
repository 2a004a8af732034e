"""Transformations of Arrow tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.errors import UsageError
from dataflow.shared.transform import (
    Rule,
    clean_columns,
    clean_text,
    convert_units,
    deduplicate,
    map_values,
    to_utc,
    validate,
)


def test_column_names_become_plain_and_different() -> None:
    table = pa.table([[1]] * 6, names=["Größe (mm)", "sgvValue", "ID", "id", "  ", "Ünit"])
    assert clean_columns(table).column_names == ["grosse_mm", "sgv_value", "id", "id_2", "column", "unit"]


def test_text_is_trimmed_and_empty_text_is_null() -> None:
    table = clean_text(pa.table({"a": [" x ", "", None, "\t"], "n": [1, 2, 3, 4]}))
    assert table["a"].to_pylist() == ["x", None, None, None]


def test_values_are_mapped_to_a_default_or_stay() -> None:
    table = pa.table({"a": ["x", "y", None]})
    assert map_values(table, "a", {"x": 1})["a"].to_pylist() == [1, None, None]
    assert map_values(table, "a", {"x": 1}, default=0)["a"].to_pylist() == [1, 0, 0]
    assert map_values(table, "a", {"x": "z"}, default=...)["a"].to_pylist() == ["z", "y", None]


def test_a_mapping_of_another_type_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        map_values(pa.table({"a": [1]}), "a", {"x": 1})
    assert caught.value.code == "MAPPING_TYPES"


def test_the_last_row_of_a_key_stays_in_its_order() -> None:
    table = pa.table({"k": [1, 2, 1, None, None], "v": [1, 2, 3, 4, 5]})
    assert deduplicate(table, ["k"])["v"].to_pylist() == [2, 3, 5]
    assert deduplicate(table, ["k"], keep="first")["v"].to_pylist() == [1, 2, 4]


def test_the_latest_row_by_a_column_stays() -> None:
    table = pa.table({"k": [1, 1, 1], "at": [3, None, 2], "v": ["new", "null", "old"]})
    assert deduplicate(table, ["k"], order_by="at")["v"].to_pylist() == ["new"]
    assert deduplicate(table, ["k"], order_by="at", keep="first")["v"].to_pylist() == ["null"]


ROWS = st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 3))), max_size=30)


@given(ROWS, st.sampled_from(["first", "last"]), st.booleans())
def test_deduplication_agrees_with_the_plain_way(rows: list[tuple[int, int | None]], keep: Any, ordered: bool) -> None:
    schema = pa.schema([("k", pa.int64()), ("at", pa.int64()), ("i", pa.int64())])
    table = pa.table([[k for k, _ in rows], [at for _, at in rows], list(range(len(rows)))], schema=schema)
    places = list(range(len(rows)))
    ranked = sorted(places, key=lambda i: (-1 if (at := rows[i][1]) is None else at, i)) if ordered else places
    kept: dict[int, int] = {}
    for index in ranked if keep == "last" else reversed(ranked):
        kept[rows[index][0]] = index
    found = deduplicate(table, ["k"], keep=keep, order_by="at" if ordered else None)
    assert found["i"].to_pylist() == sorted(kept.values())


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("values", "zone", "expected"),
    [
        (["2026-01-02T03:04:05Z", None], "UTC", [utc(2026, 1, 2, 3, 4, 5), None]),
        (["2026-01-02T03:04:05+02:00"], "UTC", [utc(2026, 1, 2, 1, 4, 5)]),
        (["2026-07-01 12:00:00"], "Europe/Berlin", [utc(2026, 7, 1, 10)]),
        ([datetime(2026, 10, 25, 2, 30)], "Europe/Berlin", [utc(2026, 10, 25, 0, 30)]),  # noqa: DTZ001
        ([datetime(2026, 3, 29, 2, 30)], "Europe/Berlin", [utc(2026, 3, 29, 1, 0)]),  # noqa: DTZ001
    ],
)
def test_times_become_utc(values: list[Any], zone: str, expected: list[Any]) -> None:
    assert to_utc(pa.table({"t": values}), "t", zone=zone)["t"].to_pylist() == expected


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(UsageError, match="yesterday") as caught:
        to_utc(pa.table({"t": ["yesterday"]}), "t")
    assert caught.value.code == "TIMES_UNREADABLE"


def test_units_are_converted_where_they_apply() -> None:
    table = pa.table({"v": [5, 100, None], "unit": ["mmol/L", "mg/dL", None]})
    assert convert_units(table, "v", 18.0, where=("unit", "mmol/L"))["v"].to_pylist() == [90.0, 100.0, None]
    assert convert_units(table, "v", 2)["v"].to_pylist() == [10.0, 200.0, None]


RULES = [Rule("v", required=True, minimum=0, maximum=10), Rule("kind", one_of=("a", "b"), pattern="^[ab]$")]


def test_rows_that_break_rules_are_set_apart_with_every_reason() -> None:
    table = pa.table({"v": [1, -1, 11, None, 5, 0], "kind": ["a", "b", "c", "a", None, "b"]})
    result = validate(table, RULES)
    assert result.valid["v"].to_pylist() == [1, 5, 0]
    assert result.rejected["v"].to_pylist() == [-1, 11, None]
    assert result.rejected["reasons"].to_pylist() == [
        ["v is below 0"],
        ["v is above 10", "kind is none of a, b", "kind does not look like ^[ab]$"],
        ["v is missing"],
    ]


def test_no_rules_and_no_rows_are_fine() -> None:
    assert validate(pa.table({"v": [1]}), []).valid.num_rows == 1
    empty = pa.table({"v": pa.array([], pa.int64()), "kind": pa.array([], pa.string())})
    assert validate(empty, RULES).rejected.num_rows == 0


def test_a_rule_for_a_missing_column_or_another_type_is_refused() -> None:
    for rule, code in ((Rule("x"), "COLUMN_MISSING"), (Rule("v", pattern="x"), "RULE_TYPES")):
        with pytest.raises(UsageError) as caught:
            validate(pa.table({"v": [1]}), [rule])
        assert caught.value.code == code


@pytest.mark.parametrize(
    "call", [lambda t: clean_text(t, ["x"]), lambda t: deduplicate(t, ["x"]), lambda t: to_utc(t, "x")]
)
def test_a_missing_column_is_named(call: Any) -> None:
    with pytest.raises(UsageError, match="'x'") as caught:
        call(pa.table({"a": [1]}))
    assert caught.value.code == "COLUMN_MISSING"
