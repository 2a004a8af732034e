from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dataflow import errors
from dataflow.cli.exit_codes import ExitCode, exit_code
from dataflow.cli.plain import dumps, plain
from dataflow.cli.tables import ago, count, size, took


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    where: Path


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Point(1, Path("/a")), {"x": 1, "where": "/a"}),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(seconds=90), 90.0),
        (Decimal("1.50"), 1.5),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (float("nan"), None),
        (float("inf"), None),
        (b"\x00\xff", "00ff"),
        (Colour.RED, "red"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, {2}), [1, [2]]),
        ({1: True}, {"1": True}),
        (None, None),
    ],
)
def test_values_become_json(value: Any, wanted: Any) -> None:
    assert plain(value) == wanted
    assert json.loads(dumps(value)) == wanted


def test_every_kind_of_error_has_the_exit_code_of_the_contract() -> None:
    wanted = {
        errors.UsageError: 2,
        errors.ConfirmationNeeded: 3,
        errors.ConfigurationError: 4,
        errors.MissingError: 5,
        errors.NotHealthyError: 6,
        errors.RunFailedError: 7,
        errors.ChecksFailedError: 8,
        errors.Interrupted: 130,
        errors.WarehouseError: 1,
        errors.StorageError: 1,
        errors.SourceError: 1,
        errors.BackendError: 1,
        errors.DataflowError: 1,
    }
    assert {kind: int(exit_code(kind("x"))) for kind in wanted} == wanted
    assert {int(code) for code in ExitCode} == {0, 1, 2, 3, 4, 5, 6, 7, 8, 130}


def test_sizes_and_times_are_for_people() -> None:
    assert [size(n) for n in (None, 0, 999, 1500, 123_456_789, 5_000_000_000_000)] == [
        "-",
        "0 B",
        "999 B",
        "1.5 kB",
        "123 MB",
        "5.0 TB",
    ]
    assert [took(s) for s in (None, 1.25, 75)] == ["-", "1.2 s", "1 min 15 s"]
    now = datetime.now(UTC)
    assert [ago(now - timedelta(seconds=s)) for s in (5, 120, 7200, 260_000)] == ["5 s", "2 min", "2 h", "3 d"]
    assert ago(None) == "-"
    assert (count(1, "row"), count(2000, "row")) == ("1 row", "2,000 rows")
