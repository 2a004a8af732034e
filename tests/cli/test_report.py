"""`data report`: one file that a browser shows without anything else."""

from __future__ import annotations

import re

import pytest

from dataflow.shared import db
from tests.cli.test_warehouses import DAILY, warehouse, write
from tests.conftest import Project, add_workflow

PAGE = """---
title: Orders
---

```sql daily
select day, amount from marts.daily order by day
```

<LineChart data={daily} x=day y=amount />

<DataTable data={daily} />
"""


@pytest.fixture
def reported(project: Project) -> Project:
    """A project with a workflow of one page over a warehouse that holds its table."""
    add_workflow(project, "orders")
    project.write("workflows/orders/evidence/pages/index.md", PAGE)
    write(warehouse(project), DAILY)
    return project


def test_the_file_holds_charts_and_tables_also_while_somebody_writes(reported: Project) -> None:
    called = reported.call("data", "report", "orders", "--json")
    assert called.code == 0, called.out
    assert (called.data["pages"], called.data["queries"], called.data["charts"]) == (1, 1, 1)
    path = reported.root / ".dataflow" / "reports" / "orders.html"
    assert called.data["path"] == str(path)
    html = path.read_text()
    assert "<title>Orders</title>" in html
    assert html.count("<svg") == 1
    assert html.count("<tr>") == 11
    assert not re.search(r"<script|src=", html)
    with db.write_connection(warehouse(reported)) as connection:
        connection.execute("DELETE FROM marts.daily")
        again = reported.call("data", "report", "orders")
    assert again.code == 0
    assert "A run holds the warehouse: this is the snapshot of" in again.out
    assert path.read_text().count("<tr>") == 11


def test_an_output_that_exists_is_only_replaced_when_told(reported: Project) -> None:
    reported.write("mine.html", "mine")
    refused = reported.call("data", "report", "orders", "--output", "mine.html", "--json")
    assert (refused.code, refused.error["code"]) == (2, "FILE_EXISTS")
    assert (reported.root / "mine.html").read_text() == "mine"
    assert reported.call("data", "report", "orders", "-o", "mine.html", "--replace").code == 0
    assert "<svg" in (reported.root / "mine.html").read_text()


def test_what_cannot_be_shown_is_a_note_in_the_file_and_an_error_with_its_place(reported: Project) -> None:
    broken = (
        PAGE.replace("select day, amount", "select day, amuont") + "\n```sql bad\nselect cast('x' as integer)\n```\n"
    )
    page = reported.write("workflows/orders/evidence/pages/index.md", broken)
    called = reported.call("data", "report", "orders", "--json")
    assert (called.code, called.error["code"]) == (1, "REPORT_INCOMPLETE")
    assert called.error["place"] == {"path": str(page), "line": 6, "column": 13}
    assert called.error["hint"] == "Did you mean 'amount'?"
    assert [one["rule"] for one in called.data["problems"]] == ["column-unknown", "query-failed"]
    assert "Referenced column" in (reported.root / ".dataflow" / "reports" / "orders.html").read_text()


def test_what_is_missing_is_said(reported: Project) -> None:
    assert reported.call("data", "report", "ordrs", "--json").error["hint"] == "Did you mean 'orders'?"
    add_workflow(reported, "bare")
    assert reported.call("data", "report", "bare", "--json").error["code"] == "PAGES_MISSING"
    warehouse(reported).unlink()
    assert reported.call("data", "report", "orders", "--json").error["code"] == "WAREHOUSE_MISSING"
