"""What people see of results, at a width of their choice."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from dataflow.cli.tables import decimals, value
from dataflow.cli.views.data import show_rows
from dataflow.cli.views.logs import show_lines
from dataflow.cli.views.stack import condition
from dataflow.cli.views.workflow import show_progress
from dataflow.models import ServiceStatus, StepRun
from dataflow.operations.data import QueryResult
from dataflow.operations.following import CheckOutcome, Progress
from dataflow.operations.logs import Lines


def seen(show: Any, result: Any, width: int = 80) -> list[str]:
    file = io.StringIO()
    show(Console(file=file, width=width, highlight=False, markup=False), result)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def answer(columns: dict[str, str], *rows: tuple[Any, ...], truncated: bool = False) -> QueryResult:
    return QueryResult(tuple(columns), tuple(columns.values()), rows, truncated, "live", None, stale=False, seconds=0.5)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([150.0, 157.8, 6.5], ["150.0", "157.8", "6.5"]),
        ([150.0, 2.0], ["150", "2"]),
        ([3.14159, 1.5], ["3.14", "1.50"]),
        ([0.000123, 0.5], ["0.00012", "0.50000"]),
        ([1e-9, 1.5], ["1e-09", "1.5"]),
        ([1e20, 1.5], ["1e+20", "1.5"]),
        ([float("nan"), float("inf"), 1.25], ["nan", "inf", "1.25"]),
        ([0.0, -0.25], ["0.00", "-0.25"]),
        ([], []),
    ],
)
def test_the_floats_of_a_column_have_the_same_number_of_decimals(numbers: list[float], shown: list[str]) -> None:
    assert decimals(numbers) == shown


@pytest.mark.parametrize(
    ("thing", "shown"), [(None, "-"), (False, "false"), (60.0, "60.0"), ((), "-"), (("a", True), "a, true"), (0, "0")]
)
def test_values_are_written_as_in_their_files(thing: object, shown: str) -> None:
    assert value(thing) == shown


def test_a_table_of_rows_aligns_numbers_and_leaves_nulls_empty() -> None:
    rows = [("a", 1, 2.5, None), ("b", 20, None, True)]
    lines = seen(show_rows, answer({"s": "VARCHAR", "n": "BIGINT", "f": "DOUBLE", "b": "BOOLEAN"}, *rows))
    assert [lines[0], lines[2], lines[3]] == ["s   n    f  b", "a   1  2.5", "b  20       true"]
    assert lines[4] == "2 rows in 0.50 s"


def test_an_interval_is_no_number() -> None:
    assert seen(show_rows, answer({"i": "INTERVAL"}, ("2 days",), ("10 days",)))[2] == "2 days"


def test_columns_that_do_not_fit_are_named_not_folded() -> None:
    columns = {f"column_{index}": "INTEGER" for index in range(10)}
    lines = seen(show_rows, answer(columns, tuple(range(10))), width=40)
    assert lines[0].split() == ["column_0", "column_1", "column_2", "column_3"]
    assert lines[4] == "6 columns did not fit: column_4,"
    assert len(seen(show_rows, answer(columns, tuple(range(10))), width=98)) == 4


def test_a_cut_answer_says_at_which_limit() -> None:
    assert seen(show_rows, answer({"n": "INTEGER"}, (1,), truncated=True))[-1] == "1 row in 0.50 s (--limit 1)"


def test_checks_that_held_are_counted_and_those_that_did_not_are_named() -> None:
    checks = (CheckOutcome("t:unique", passed=True), CheckOutcome("t:fresh", passed=False))
    lines = seen(show_progress, Progress((StepRun("t", "success", seconds=1.0),), checks))
    assert lines[-2:] == ["1 check held, 1 failed:", "  t:fresh"]
    assert seen(show_progress, Progress((), checks[:1]))[-1] == "1 check held."


@pytest.mark.parametrize(
    ("state", "health", "word"),
    [
        ("running", "healthy", "healthy"),
        ("running", "unhealthy", "unhealthy"),
        ("running", "none", "running"),
        ("crash-loop", "unhealthy", "crash-loop"),
        ("stopped", "none", "stopped"),
    ],
)
def test_state_and_health_are_one_word(state: Any, health: Any, word: str) -> None:
    assert condition(ServiceStatus("s", "S", "core", state, health)) == word


def test_logs_without_a_line_say_so() -> None:
    assert seen(show_lines, Lines(())) == ["No log lines."]
