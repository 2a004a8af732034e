from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from dataflow.shared.db import write_connection
from dataflow.shared.quarantine import set_aside
from dataflow.shared.text_files import RowError
from dataflow.shared.transform import Rule, validate

ROWS = "select source, line, reason, raw from raw.quarantine order by all"


def test_rows_of_both_kinds_are_kept_with_their_reasons_and_once(tmp_path: Path) -> None:
    errors = [RowError(3, "amount", "no number", "3,x"), RowError(7, None, "too few columns", "7")]
    parted = validate(pa.table({"id": [1, 2], "amount": [-1.0, 5.0]}), [Rule("amount", minimum=0)])
    for _ in range(2):
        with write_connection(tmp_path / "w.duckdb") as connection:
            left = set_aside(
                connection, into="raw.quarantine", source="a.csv", unreadable=errors, rejected=parted.rejected
            )
            assert left == 3
            assert connection.execute(ROWS).fetchall() == [
                ("a.csv", 3, "no number", "3,x"),
                ("a.csv", 7, "too few columns", "7"),
                ("a.csv", None, "amount is below 0", '{"amount": -1.0, "id": 1}'),
            ]


def test_nothing_to_set_aside_makes_no_table(tmp_path: Path) -> None:
    with write_connection(tmp_path / "w.duckdb") as connection:
        assert set_aside(connection, into="raw.quarantine", source="a.csv") == 0
        assert connection.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
