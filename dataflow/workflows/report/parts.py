"""Components of Evidence as HTML. What needs a browser's program is told, and its data shown as a table."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from markupsafe import Markup, escape

from dataflow.workflows.report import charts
from dataflow.workflows.report.answers import Answer, Answers, Unanswered, is_number
from dataflow.workflows.report.frames import Attributes, first
from dataflow.workflows.report.values import formatter
from dataflow.workflows.rules.page_text import Component, Expression, words

# Boxes around other parts: what is inside is shown as it is.
_BOXES = frozenset(
    {
        "Accordion",
        "AccordionItem",
        "Alert",
        "BigLink",
        "Box",
        "Callout",
        "Details",
        "Fullscreen",
        "Grid",
        "Group",
        "Hint",
    }
    | {"Info", "LineBreak", "Link", "LinkButton", "Modal", "Note", "PageBreak", "PrintGroup", "Tab", "Tabs"}
)
# They belong to the one around them.
_INNER = frozenset(
    {"Area", "Bar", "Bubble", "ButtonGroupItem", "Column", "DropdownOption", "Hist", "Line", "Scatter"}
    | {"ReferenceArea", "ReferenceLine", "ReferencePoint"}
)
_INPUTS = frozenset(
    {"ButtonGroup", "Checkbox", "DateInput", "DateRange", "DimensionGrid", "DownloadData", "Dropdown", "SearchBar"}
    | {"Slider", "TextInput"}
)
_MOST_ROWS = 1000


class Parts:
    """Renders the components of a document, one after the other."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.charts = 0

    def component(self, component: Component, answers: Answers) -> Markup:
        """A component as HTML; inline ones stay inline."""
        attributes = _grouped(component)
        if component.name in _BOXES:
            title = first(attributes, "title") or first(attributes, "label")
            return Markup("<strong>{}</strong> ").format(title) if title else Markup()
        if component.name in _INNER:
            return Markup()
        if component.name in _INPUTS:
            return _note(f"<{component.name}>: an input, which only Evidence has.")
        data = first(attributes, "data")
        answer = answers.get(data) or Unanswered(f"<{component.name}> is only shown by Evidence.")
        if isinstance(answer, Unanswered):
            return _note(answer.reason)
        return self._shown(component.name, attributes, answer)

    def _shown(self, name: str, attributes: Attributes, answer: Answer) -> Markup:
        match name:
            case "Value":
                return _value(attributes, answer)
            case "BigValue":
                return _big_value(attributes, answer)
            case "DataTable" | "QueryDataTable":
                return _table(attributes, answer)
            case _ if name in charts.KINDS:
                return self._chart(name, attributes, answer)
            case _:
                note = _note(f"Evidence shows this as <{name}>.")
                return note + _table(attributes, answer)

    def _chart(self, name: str, attributes: Attributes, answer: Answer) -> Markup:
        svg = charts.draw(name, attributes, answer, f"c{next(self._numbers)}")
        if svg is None:
            return _note("There are no rows, or no such columns, to draw.")
        self.charts += 1
        cut = f"Only the first {len(answer.rows):,} rows are drawn." if answer.truncated else ""
        # pygal escapes what it writes; `Markup` says so.
        return Markup('<figure class="chart">{}{}</figure>').format(Markup(svg), _caption(cut))  # noqa: S704


def expression(one: Expression, answers: Answers) -> Markup | None:
    """`{query[0].column}` as its value; None where there is none."""
    answer = answers.get(one.query)
    if not isinstance(answer, Answer):
        return None
    if one.column is None:
        return escape(str(len(answer.rows)))
    if one.column not in answer.columns or one.row >= len(answer.rows):
        return None
    values = answer.values(one.column)
    return escape(formatter(values)(values[one.row]))


def _grouped(component: Component) -> Attributes:
    found: Attributes = {}
    for name, word, _ in words(component.attributes):
        found.setdefault(name, []).append(word)
    return found


def _value(attributes: Attributes, answer: Answer) -> Markup:
    column = first(attributes, "column") or next(iter(answer.columns), "")
    asked = first(attributes, "row")
    row = int(asked) if asked.isdigit() else 0
    if column not in answer.columns or row >= len(answer.rows):
        return escape("-")
    values = answer.values(column)
    return escape(formatter(values, first(attributes, "fmt"))(values[row]))


def _big_value(attributes: Attributes, answer: Answer) -> Markup:
    value = first(attributes, "value") or next(iter(answer.columns), "")
    lines = [
        Markup('<span class="label">{}</span><span class="number">{}</span>').format(
            first(attributes, "title") or _title(value), _value({**attributes, "column": [value]}, answer)
        )
    ]
    if comparison := first(attributes, "comparison"):
        told = _value({"column": [comparison], "fmt": attributes.get("comparisonFmt", [])}, answer)
        title = first(attributes, "comparisonTitle") or _title(comparison)
        lines.append(Markup('<span class="comparison">{} {}</span>').format(told, title))
    return Markup('<span class="big">{}</span>').format(Markup().join(lines))


def _table(attributes: Attributes, answer: Answer) -> Markup:
    """Every row, numbers to the right; only so many that a browser scrolls through them."""
    rows = answer.rows[:_MOST_ROWS]
    numeric = set(answer.numeric)
    write = {name: formatter(answer.values(name)) for name in answer.columns}
    head = Markup().join(
        Markup("<th{}>{}</th>").format(_side(name in numeric), _title(name)) for name in answer.columns
    )
    body = Markup().join(Markup("<tr>{}</tr>").format(_cells(row, answer.columns, write)) for row in rows)
    more = len(answer.rows) > len(rows) or answer.truncated
    cut = f"Only the first {len(rows):,} rows are shown." if more else ""
    return Markup(
        '<figure class="table"><div><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>{}</figure>'
    ).format(head, body, _caption(" ".join(filter(None, (first(attributes, "title"), cut)))))


def _cells(row: tuple[Any, ...], columns: tuple[str, ...], write: Mapping[str, Any]) -> Markup:
    return Markup().join(
        Markup("<td{}>{}</td>").format(_side(is_number(value)), write[name](value))
        for name, value in zip(columns, row, strict=True)
    )


def _side(right: bool) -> Markup:
    return Markup(' class="number"') if right else Markup()


def _caption(text: str) -> Markup:
    return Markup("<figcaption>{}</figcaption>").format(text) if text else Markup()


def _note(reason: str) -> Markup:
    return Markup('<span class="note">{}</span>').format(reason)


def _title(column: str) -> str:
    """A column's name for people."""
    return column.replace("_", " ")
