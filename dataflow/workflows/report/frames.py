"""Rows of a query as what a chart draws."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from dataflow.workflows.report.answers import Answer, is_number

Attributes = dict[str, list[str]]
LARGEST = 1e15  # beyond it, a picture tells nothing, and pygal has no axis for it


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart draws: places on the x axis, and for each series a value for each place."""

    x: list[Any]
    series: dict[str, list[float | None]]

    @property
    def points(self) -> int:
        """How many values there are at most."""
        return len(self.x) * len(self.series)


def frame_of(attributes: Attributes, answer: Answer) -> Frame | None:
    """Rows by x and series. Of two values at one place, the sum is drawn."""
    x = first(attributes, "x") or next(iter(answer.columns), "")
    by = first(attributes, "series")
    ys = attributes.get("y") or [name for name in answer.numeric if name not in (x, by)]
    if not answer.rows or not ys or not {x, *ys, *([by] if by else [])} <= set(answer.columns):
        return None
    # Lists and structs are places, too, but cannot be looked up.
    along = [place if isinstance(place, Hashable) else str(place) for place in answer.values(x)]
    places = {place: number for number, place in enumerate(dict.fromkeys(along))}
    series: dict[str, list[float | None]] = {}
    groups = answer.values(by) if by else [None] * len(answer.rows)
    for y in ys:
        for place, group, value in zip(along, groups, answer.values(y), strict=True):
            name = y if not by else str(group) if len(ys) == 1 else f"{group}, {y}"
            row = series.setdefault(name, [None] * len(places))
            if is_number(value) and abs(value) < LARGEST:
                row[places[place]] = (row[places[place]] or 0.0) + float(value)
    return Frame(list(places), series)


def to_percent(frame: Frame) -> None:
    """Each value as its share of all that are at its place."""
    for number in range(len(frame.x)):
        total = sum(row[number] or 0 for row in frame.series.values())
        for row in frame.series.values():
            value = row[number]
            row[number] = 100 * value / total if total and value is not None else value


def upside_down(frame: Frame) -> None:
    """The last place first: bars that lie are drawn from the bottom up, and read from the top down."""
    for values in (frame.x, *frame.series.values()):
        values.reverse()


def first(attributes: Attributes, name: str) -> str:
    """The first word of an attribute; empty where it is not there."""
    return next(iter(attributes.get(name, ())), "")
