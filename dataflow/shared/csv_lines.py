"""The line of the file that a row of a CSV begins at, and its text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from dataflow.shared.text_files import CHUNK, LONGEST_LINE


def lines_at(file: Path, positions: list[int]) -> list[int]:
    """Line numbers of the rows that DuckDB says begin at these bytes (from 1, ascending), in one pass.

    It counts empty lines before a row, and the second half of the CR LF before it, as part of the row.
    """
    found: list[int] = []
    end = _line_end(file)
    with file.open("rb") as source:
        offset, line = 0, 1
        for position in positions:
            while offset < position - 1:
                chunk = source.read(min(CHUNK, position - 1 - offset))
                offset, line = offset + max(len(chunk), 1), line + chunk.count(end)
            found.append(line + _empty_lines(source, end))
    return found


def accepted_rows(file: Path, delimiter: str, *, header: bool, rejected: set[int]) -> Iterator[tuple[int, str]]:
    """Line and text of each row that begins at none of the rejected lines."""
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text, suppress(csv.Error):
        taken: list[str] = []
        reader = csv.reader(_noted(text, taken), delimiter=delimiter)
        for number, row in enumerate(reader):
            begin = reader.line_num - len(taken) + 1
            if row and begin not in rejected and (number or not header):
                yield begin, "".join(taken).strip("\r\n")
            taken.clear()


def _noted(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _line_end(file: Path) -> bytes:
    """Old Macs end lines with CR alone."""
    with file.open("rb") as source:
        start = source.read(LONGEST_LINE)
    return b"\r" if b"\r" in start and b"\n" not in start else b"\n"


def _empty_lines(source: BinaryIO, end: bytes) -> int:
    """Line ends ahead, without moving."""
    here, count = source.tell(), 0
    while (byte := source.read(1)) in (b"\n", b"\r"):
        count += byte == end
    source.seek(here)
    return count
