"""Charts as SVG that needs no script: lines, bars, areas and points, drawn by pygal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from dataflow.workflows.report.answers import Answer, is_number, is_time
from dataflow.workflows.report.frames import LARGEST, Attributes, Frame, first, frame_of, to_percent, upside_down
from dataflow.workflows.report.values import formatter

KINDS = frozenset({"LineChart", "BarChart", "AreaChart", "ScatterPlot", "BubbleChart"})
_FEW_LABELS, _FEW_POINTS = 12, 120
_YEARS = range(1000, 3000)
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_COLORS = ("#2563eb", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#06b6d4", "#ec4899", "#84cc16", "#64748b", "#a16207")
_STYLE = {
    "background": "transparent", "plot_background": "transparent", "foreground": "#64748b",
    "foreground_strong": "#64748b", "foreground_subtle": "#94a3b8",
    "guide_stroke_color": "#cbd5e155", "major_guide_stroke_color": "#cbd5e155",
    "guide_stroke_dasharray": "1,0", "major_guide_stroke_dasharray": "1,0", "font_family": "inherit",
    "title_font_family": "inherit", "legend_font_size": 13, "label_font_size": 12, "major_label_font_size": 12,
    "title_font_size": 15, "opacity": ".9", "opacity_hover": "1", "transition": "0s",
    "stroke_width": 2, "stroke_width_hover": 3, "colors": _COLORS,
}  # fmt: skip


_OPTIONS: dict[str, Any] = {
    "js": [], "width": 900, "height": 340, "legend_at_bottom": True, "truncate_legend": 40, "truncate_label": 24,
    "dots_size": 2.5, "stroke_style": {"width": 2}, "disable_xml_declaration": True, "no_data_text": "No data",
}  # fmt: skip


def draw(kind: str, attributes: Attributes, answer: Answer, identity: str) -> str | None:
    """The SVG of one of KINDS; None where there is nothing to draw. `identity`: unlike any other's of the document."""
    frame = frame_of(attributes, answer)
    if frame is None:
        return None
    make, points = _kind(kind, attributes, frame)
    chart = make(**_OPTIONS, **_options(kind, attributes, frame, scale=points is not None), style=_style())
    chart.uuid = identity
    if points is None:
        chart.x_labels = [_printable(_label(place)) for place in frame.x]
    for name, row in frame.series.items():
        chart.add(_printable(name), points(frame.x, row) if points else row)
    chart.add_xml_filter(_still)
    return str(chart.render(is_unicode=True))


def _options(kind: str, attributes: Attributes, frame: Frame, *, scale: bool) -> dict[str, Any]:
    few = len(frame.x) <= _FEW_LABELS or scale
    return {
        "title": first(attributes, "title") or None,
        "x_title": first(attributes, "xAxisTitle") or None,
        "y_title": first(attributes, "yAxisTitle") or None,
        "show_legend": len(frame.series) > 1,
        "legend_at_bottom_columns": min(len(frame.series), 5),
        "x_labels_major_count": None if few else 8,
        "show_minor_x_labels": few,
        "show_dots": kind in ("ScatterPlot", "BubbleChart") or frame.points <= _FEW_POINTS,
        "value_formatter": _height,
    }


Points = Callable[[Sequence[Any], Sequence[float | None]], list[Any]]


def _kind(kind: str, attributes: Attributes, frame: Frame) -> tuple[Any, Points | None]:
    """The chart of pygal, and for one with a scale as its x axis, how a series becomes its points."""
    import pygal

    stacked = first(attributes, "type") or "stacked"
    if kind == "BarChart":
        if stacked == "stacked100":
            to_percent(frame)
        flat = first(attributes, "swapXY") == "true"
        if flat:
            upside_down(frame)
        names = ("HorizontalBar", "HorizontalStackedBar") if flat else ("Bar", "StackedBar")
        return getattr(pygal, names[stacked != "grouped" and len(frame.series) > 1]), None
    if kind == "AreaChart":
        return partial(pygal.StackedLine, fill=True), None
    if not _is_scale(frame.x):
        return partial(pygal.Line, stroke=kind == "LineChart"), None
    timed = is_time(frame.x[0])
    made = pygal.DateTimeLine if timed else pygal.XY
    extra = {"x_value_formatter": _moment(frame.x), "x_label_rotation": 20} if timed else {}
    return partial(made, stroke=kind == "LineChart", **extra), _points


def _is_scale(x: Sequence[Any]) -> bool:
    """Whether places have distances; what lies further away than can be drawn is taken by its name."""
    if all(is_time(place) for place in x):
        return all(place.year in _YEARS for place in x)
    return all(is_number(place) and abs(place) < LARGEST for place in x)


def _points(x: Sequence[Any], row: Sequence[float | None]) -> list[Any]:
    """In the order of x: the axis is a scale."""
    pairs = [(_axis(place), value) for place, value in zip(x, row, strict=True)]
    return sorted(pairs, key=lambda pair: pair[0])


def _axis(place: Any) -> Any:
    """A day begins at midnight; an aware time is shown in UTC, as the rest of the platform shows it."""
    if isinstance(place, datetime):
        return place.astimezone(UTC).replace(tzinfo=None) if place.tzinfo else place
    return datetime(place.year, place.month, place.day) if isinstance(place, date) else float(place)  # noqa: DTZ001


def _moment(x: Sequence[Any]) -> Callable[[Any], str]:
    days = all(not isinstance(place, datetime) for place in x)
    return lambda moment: f"{moment:%Y-%m-%d}" if days else f"{moment:%Y-%m-%d %H:%M}"


def _style() -> Any:
    from pygal.style import Style

    return Style(**_STYLE)


def _height(value: float) -> str:
    """A number on the axis or of a point, as short as it can be."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 or not value else f"{value:.2g}"


def _label(place: Any) -> str:
    return "-" if place is None else formatter([place])(place)


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NOT_IN_XML.sub(" ", text)


def _still(root: Any) -> Any:
    """Without its script, and what the script would show on a point as a title, which every browser shows itself."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "script" or not isinstance(child.tag, str):
                parent.remove(child)
        told = {child.get("class", "").split(" ")[0]: child.text or "" for child in parent if child.tag == "desc"}
        for child in [child for child in parent if child.tag == "desc"]:
            parent.remove(child)
        if told.get("value"):
            title = parent.makeelement("title", {})
            title.text = ": ".join(filter(None, (told.get("x_label"), told["value"])))
            parent.insert(0, title)
    return root
