"""A page as HTML: every component, formats, hostile text, and nothing that runs or is asked of anybody."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dataflow.workflows.report.answers import MOST_ROWS, Answer, ask
from dataflow.workflows.report.charts import KINDS, draw
from dataflow.workflows.report.document import Document, Section, compose
from dataflow.workflows.report.values import formatter
from dataflow.workflows.rules.page_text import read_page

EVIL = """<script>alert(1)</script>"><img src=x onerror=alert(2)>"""


def rendered(tmp_path: Path, *texts: str) -> Document:
    connection = duckdb.connect()
    connection.execute("create table daily as select date '2026-01-01' + i::INTEGER as day, i * 1.5 as amount, "
                       "i % 2 = 0 as even from range(40) t(i)")  # fmt: skip
    sections: list[Section] = []
    for number, text in enumerate(texts):
        path = tmp_path / f"page{number}.md"
        path.write_text(text)
        page = read_page(path)
        sections.append(Section("/" if not number else f"/page{number}", page, ask(connection, page)))
    return compose("orders", sections, datetime(2026, 1, 1, tzinfo=UTC))


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "hr", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


DAILY = "```sql daily\nselect day, amount from daily order by day\n```\n\n"
HOSTILE = f"""---
title: "{EVIL.replace('"', "'")}"
---
{EVIL} [x](javascript:alert(3)) ![y](https://example.org/y.png) [z](https://example.org)

```sql evil
select '{EVIL}' as "{EVIL.replace('"', "'")}", '{EVIL}' as name, 2 as n, chr(1) || '\ue0000\ue001' as odd
```
<DataTable data={{evil}} title="<b>x</b>" /> <BarChart data={{evil}} x=name y=n title="<b>x</b>" series=odd />
<BigValue data={{evil}} value=name title='"<i>' /> <Value data={{evil}} column=name /> {{evil[0].name}}

<Heatmap data={{evil}} /> <Frame2 src="https://example.org" /> <Embed url="https://example.org/e" />
"""


def test_hostile_text_is_text_and_nothing_runs_or_is_loaded(tmp_path: Path) -> None:
    html = rendered(tmp_path, HOSTILE).html
    tags = Tags(html)
    assert tags.open == []
    assert {tag for tag, _ in tags.found} & {
        "script",
        "img",
        "iframe",
        "link",
        "object",
        "b",
        "i",
        "foreignobject",
    } == set()
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "xlink:href")], tag
        assert not (attributes.get("href") or "").startswith("javascript:")
    assert not re.search(r"url\(|@import", html)
    assert ("meta", {"http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}) in tags.found  # fmt: skip
    assert html.count("&lt;script&gt;alert(1)") >= 6


def test_components_stand_in_their_text(tmp_path: Path) -> None:
    html = rendered(
        tmp_path,
        f"# Head *line*\n\n{DAILY}Up to **{{daily[1].amount}}** in {{daily.length}} days: "
        "<Value data={daily} column=amount fmt=usd2 row=2 />.\n\n"
        "<BigValue data={daily} value=amount comparison=day comparisonTitle=first />\n"
        "<BigValue data={daily} value=day/>\n\n"
        "<Details title='More'>\n\nInside *it*.\n\n</Details>\n\n{#if daily.length}\nyes\n{/if}\n"
        "<DataTable data={daily}>\n  <Column id=day />\n</DataTable>\n",
    ).html
    assert "<h1>Head <em>line</em></h1>" in html
    assert "<p>Up to <strong>1.5</strong> in 40 days: $3.00.</p>" in html
    assert html.count('<span class="big">') == 2
    assert '<span class="comparison">2026-01-01 first</span>' in html
    assert "<strong>More</strong>" in html
    assert "<p>Inside <em>it</em>.</p>" in html
    assert "{#if" not in html
    assert html.count("<tr>") == 41
    assert "<pre>select day, amount from daily order by day</pre>" in html  # folded away, below


def test_every_chart_is_drawn_with_titles_on_its_points(tmp_path: Path) -> None:
    tags = "".join(f"<{kind} data={{daily}} x=day y=amount title='{kind}' />\n\n" for kind in sorted(KINDS))
    document = rendered(tmp_path, DAILY + tags)
    assert document.charts == len(KINDS)
    charts = re.findall(r"<svg.*?</svg>", document.html, re.DOTALL)
    for kind, svg in zip(sorted(KINDS), charts, strict=True):
        root = ET.fromstring(svg)
        assert kind in "".join(root.itertext())
        assert re.search(r"<title>[^<]*1\.5</title>", svg), kind
    assert len({re.search(r'id="([^"]+)"', svg)[1] for svg in charts}) == len(KINDS)  # type: ignore[index]


@pytest.mark.parametrize(
    ("attributes", "shows"),
    [
        ({"x": ["c"], "y": ["v"], "series": ["g"], "type": ["stacked100"]}, ["25", "75"]),
        ({"x": ["c"], "y": ["v"], "series": ["g"], "type": ["grouped"]}, ["1", "3"]),
        ({"x": ["c"], "y": ["v"], "swapXY": ["true"]}, ["4", "6"]),
        ({}, ["4", "6"]),
    ],
)
def test_bars_are_stacked_shared_or_side_by_side(attributes: dict[str, list[str]], shows: list[str]) -> None:
    answer = Answer(("c", "g", "v"), (("a", "one", 1), ("a", "two", 3), ("b", "one", 6)), truncated=False)
    svg = draw("BarChart", attributes, answer, "c1") or ""
    titles = re.findall(r"<title>(?:\w+: )?([\d.]+)</title>", svg)
    assert set(shows) <= set(titles), titles


NASTY: list[list[Any]] = [
    [0, None, -1, float("nan"), float("inf"), 1e308, 1e-300, 10**38],
    ["x", "", None, "<&>", "\x00\x01", b"x", [1], {"a": 1}],
    [date(1, 1, 1), date(9999, 12, 31), date(2026, 1, 1), None],
    [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_value_breaks_a_chart(kind: str) -> None:
    for x in NASTY:
        for y in NASTY:
            rows = tuple(zip(x * 4, y * 4, [1, None, 2.5] * 4, strict=False))
            answer = Answer(("x", "y", "n"), rows, truncated=False)
            svg = draw(kind, {"x": ["x"], "y": ["y", "n"]}, answer, "c1")
            assert svg is not None
            assert ET.fromstring(svg) is not None


@pytest.mark.parametrize(
    ("values", "fmt", "shown"),
    [
        ([1.0, 2.25], "", ["1.00", "2.25"]),
        ([1, 2026, 12345], "", ["1", "2026", "12,345"]),
        ([0.123], "pct1", ["12.3%"]),
        ([-1234567.5], "usd", ["-$1,234,567.5"]),
        ([None, "x", True, date(2026, 1, 2)], "num2", ["-", "x", "True", "2026-01-02"]),
        ([1.5], "nosuch", ["1.5"]),
    ],
)
def test_values_are_written_for_people(values: list[Any], fmt: str, shown: list[str]) -> None:
    write = formatter(values, fmt)
    assert [write(value) for value in values] == shown


def test_what_cannot_be_shown_is_said_in_its_place(tmp_path: Path) -> None:
    html = rendered(
        tmp_path,
        f"{DAILY}```sql later\nselect * from ${{daily}} where day = '${{inputs.day}}'\n```\n"
        "```sql broken\nselect nosuch from daily\n```\n"
        f"```sql many\nselect i from range({MOST_ROWS + 1}) t(i)\n```\n"
        "<LineChart data={later} x=day y=amount />\n\n<DataTable data={broken} />\n\n"
        "<Dropdown data={daily} value=day />\n\n"
        "<LineChart data={daily} x=day y=nosuch />\n\n<DataTable data={many} />\n\n<Sparkline data={daily} />",
    ).html
    for told in (
        "It depends on an input of the page, which only Evidence has.",
        "Referenced column &#34;nosuch&#34; not found",
        "&lt;Dropdown&gt;: an input, which only Evidence has.",
        "There are no rows, or no such columns, to draw.",
        "Only the first 1,000 rows are shown.",
        "Evidence shows this as &lt;Sparkline&gt;.",
    ):
        assert told in html, told


def test_links_lead_to_pages_within_the_document(tmp_path: Path) -> None:
    html = rendered(
        tmp_path, "---\ntitle: One\n---\n[two](/page1) [so](/orders/page1) [else](/other/x)", "# Two\n[back](/)"
    ).html
    assert html.count('<a href="#page-page1">') == 3  # and in the navigation
    assert '<section id="page-page1">' in html
    assert "<a>else</a>" in html
    assert '<a href="#page-">back</a>' in html
    assert "<title>One</title>" in html
