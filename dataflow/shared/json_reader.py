# pyright: reportUnknownParameterType=false
# (pyarrow ships no types)
"""JSON files: one array of objects, or an object a line. Elements that are no good are set aside, the rest is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.errors import SourceError
from dataflow.shared.read_result import ReadResult
from dataflow.shared.text_files import LONGEST_LINE, SHOWN, RowError, encoding_of, readable

if TYPE_CHECKING:
    import pyarrow as pa

BLANK = re.compile(r"[\s,]*")
Element = tuple[int, str, Any]  # line, its text (the start), the value
Item = Element | RowError


def read_json(path: str | Path, *, schema: pa.Schema | None = None, encoding: str | None = None) -> ReadResult:
    """Read a JSON array of objects, or JSON lines.

    With a schema its columns are taken and others left out; without, every key any object has becomes a column.
    Set aside are: elements that are not objects, lines that are not JSON, values that do not fit; of an array that
    breaks off, everything from the break on, as one error. Lines are read one by one; an array is held as text.

    Raises:
        SourceError: FILE_MISSING, FILE_UNREADABLE, ENCODING_UNKNOWN; FILE_MALFORMED, the file is neither.
    """
    with readable(Path(path), encoding) as (file, too_long):
        copied = file != Path(path)
        name = "utf-8" if copied else encoding or encoding_of(file)
        items = [*too_long, *_items(file, name, Path(path))]
    errors = [item for item in items if isinstance(item, RowError)]
    elements = [item for item in items if not isinstance(item, RowError)]
    table, misfits = _table(elements, schema)
    return ReadResult(table, tuple(sorted((*errors, *misfits), key=lambda error: error.line)))


def _items(file: Path, encoding: str, source: Path) -> Iterator[Item]:
    with file.open(encoding=encoding, errors="replace") as text:
        start = text.read(LONGEST_LINE).lstrip("\ufeff \t\r\n")[:1]
        text.seek(0)
        if start == "[":
            yield from _of_array(text.read().lstrip("\ufeff"))
        elif start in ("{", ""):
            for number, line in enumerate(text, start=1):
                if line.strip("\ufeff \t\r\n"):
                    yield _of_line(number, line.strip("\ufeff \t\r\n"))
        else:
            what = "a web page" if start == "<" else f"something that begins with {start!r}"
            raise SourceError(f"{source} is {what}, not JSON", code="FILE_MALFORMED", hint="Was the export complete?")


def _of_line(number: int, line: str) -> Item:
    try:
        value = json.loads(line)
    except ValueError as exc:
        return RowError(number, None, f"not JSON: {exc}", line[:SHOWN])
    return _checked(number, line[:SHOWN], value)


def _of_array(text: str) -> Iterator[Item]:
    """The elements of an array, decoded one after the other so that a break costs only what comes after it."""
    decoder = json.JSONDecoder()
    position, counted, line = text.index("[") + 1, 0, 1
    while True:
        position = _after_blank(text, position)
        line, counted = line + text.count("\n", counted, position), position
        if text.startswith("]", position):
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except ValueError as exc:
            reason = f"the array breaks off here: {exc}"
            yield RowError(line, None, reason, text[position : position + SHOWN])
            return
        yield _checked(line, text[position : min(end, position + SHOWN)], value)
        position = end


def _after_blank(text: str, position: int) -> int:
    found = BLANK.match(text, position)
    return found.end() if found else position


def _checked(line: int, raw: str, value: Any) -> Item:
    if isinstance(value, dict):
        return line, raw, value
    return RowError(line, None, f"not an object but {type(value).__name__}", raw)


def _table(elements: list[Element], schema: pa.Schema | None) -> tuple[pa.Table, list[RowError]]:
    import pyarrow as pa

    rows = [value for _, _, value in elements]
    names = schema.names if schema is not None else list(dict.fromkeys(name for row in rows for name in row))
    bad: dict[int, RowError] = {}
    kinds = {name: schema.field(name).type if schema is not None else None for name in names}
    for name, kind in kinds.items():
        values = [row.get(name) for row in rows]
        for index, reason in _misfits(values, kind):
            line, raw, _ = elements[index]
            bad.setdefault(index, RowError(line, name, reason, raw))
    kept = [row for index, row in enumerate(rows) if index not in bad]
    arrays = {name: _array([row.get(name) for row in kept], kind) for name, kind in kinds.items()}
    return pa.table(arrays, schema=schema), list(bad.values())


def _misfits(values: list[Any], kind: pa.DataType | None) -> Iterator[tuple[int, str]]:
    """Values that do not fit the type, or without a type, that do not fit the first one given."""
    import pyarrow as pa

    try:
        _array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError):
        wanted = kind or _first_kind(values)
        for index, value in enumerate(values):
            try:
                _array([value], wanted)
            except (pa.ArrowException, OverflowError, TypeError) as exc:
                yield index, f"does not fit {wanted}: {exc}"


def _first_kind(values: list[Any]) -> pa.DataType:
    """The type of the values that are of the first one's sort; whole and broken numbers are one sort."""
    import pyarrow as pa

    def sort(value: Any) -> type:
        return float if type(value) is int else type(value)

    present = [value for value in values if value is not None]
    return pa.array([value for value in present if sort(value) is sort(present[0])]).type


def _array(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    """An array of the type; text is parsed where the type is not text (dates and times come as text in JSON)."""
    import pyarrow as pa

    try:
        return pa.array(values, type=kind)
    except (pa.ArrowException, TypeError):
        if kind is None or not any(isinstance(value, str) for value in values):
            raise
        return pa.array([None if value is None else str(value) for value in values]).cast(kind)
