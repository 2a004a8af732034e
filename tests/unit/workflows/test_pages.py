"""Faults of Evidence pages, each at its line and column, asked of a real DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dataflow.models import Finding
from dataflow.workflows.rules.pages import page_findings

HEAD = """---
title: Orders
---

```sql daily
select day, amount
from marts.daily
```

"""


def findings(folder: Path, page: str, *, warehouse: bool = True) -> list[Finding]:
    path = folder / "evidence" / "pages" / "index.md"
    path.parent.mkdir(parents=True)
    path.write_text(page)
    connection = duckdb.connect()
    connection.execute(
        "create schema marts; create table marts.daily as select date '2026-01-01' as day, 1.5 as amount"
    )
    return list(page_findings(folder, connection if warehouse else None))


GOOD = """
<LineChart data={daily} x=day y={["amount"]} title="a > b" />
<DataTable data={daily} rows={5}><Column id=day/><Column id='amount' title="The amount"/></DataTable>
<Chart data={daily} x=day><Line y=amount/></Chart>
<BigValue data={daily} value=amount/> Total: {daily[0].amount} of {daily.length}, <Value data={daily} column=amount/>

```sql more
select * from ${daily} -- all
```

```sql chosen
select * from ${daily} where day = '${inputs.day.value}'
```
"""


def test_a_good_page_has_no_findings(tmp_path: Path) -> None:
    assert findings(tmp_path, HEAD + GOOD) == []


FAULTS = [
    ("```sql q\n\n  select day,\n  amuont from marts.daily\n```", "column-unknown", 13, 3, "Did you mean 'amount'?"),
    ("```sql q\nselect amuont from marts.daily\n```", "column-unknown", 11, 8, "Did you mean 'amount'?"),
    ("```sql q\nselect 1 from marts.dayly\n```", "table-unknown", 11, 15, "Did you mean 'daily'?"),
    ("```sql q\nselect 1\nfrm marts.daily\n```", "sql-syntax", 12, 5, None),
    ("```sql q\nselect nosuch(1)\n```", "sql-invalid", 11, 8, None),
    ("```sql q\ninsert into marts.daily select 1\n```", "sql-invalid", 11, 1, None),
    ("```sql q\nselect 1;\nselect 2\n```", "sql-invalid", 11, 9, None),
    ("```sql q\nselect *\nfrom ${dayly}\n```", "query-unknown", 12, 8, "Did you mean 'daily'?"),
    ("```sql q\nselect amuont\nfrom ${daily}\n```", "column-unknown", 11, 8, "Did you mean 'amount'?"),
    ("```sql q\nselect * from ${q}\n```", "query-unknown", 11, 17, None),
    ("x <LinChart data={daily} />", "component-unknown", 10, 3, "Did you mean 'LineChart'?"),
    ("<LineChart data={dayly} x=day />", "query-unknown", 10, 18, "Did you mean 'daily'?"),
    ('<BarChart data={daily}\n  x=day y={["amunt"]} />', "column-unknown", 11, 13, "Did you mean 'amount'?"),
    (
        "<DataTable data={daily}>\n  <Column id=amout />\n</DataTable>",
        "column-unknown",
        11,
        14,
        "Did you mean 'amount'?",
    ),
    ("<Value data={daily} column=amout />", "column-unknown", 10, 28, "Did you mean 'amount'?"),
    ("Total {dayly[0].amount}", "query-unknown", 10, 8, "Did you mean 'daily'?"),
    ("Total {daily[0].amout}", "column-unknown", 10, 8, "Did you mean 'amount'?"),
    ("See [it](/by-day)", "link-broken", 10, 10, None),
]


@pytest.mark.parametrize(("text", "rule", "line", "column", "hint"), FAULTS)
def test_a_fault_is_told_at_its_line_and_column(
    tmp_path: Path, text: str, rule: str, line: int, column: int, hint: str | None
) -> None:
    (found,) = findings(tmp_path, HEAD + text + "\n")
    assert (found.rule, found.place.line, found.place.column) == (rule, line, column), found
    assert hint is None or found.hint == hint


def test_without_a_warehouse_what_does_not_parse_is_still_told(tmp_path: Path) -> None:
    text = "```sql q\nselect 1 frm x\n```\n```sql r\nselect amuont from marts.nothing\n```\n<BarChart data={rr}/>\n"
    told = [one.rule for one in findings(tmp_path, HEAD + text, warehouse=False)]
    assert told == ["sql-syntax", "query-unknown"]
