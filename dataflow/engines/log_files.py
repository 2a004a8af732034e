"""Log files, read from either end: two million lines in a second where a text is known that the wanted ones hold.

A file is read in blocks; where a `needle` is given, only lines around its hits are looked at. Rotated files (`x.1` is
newer than `x.2`) are one log with their successor.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from dataflow.engines.log_scan import LogMark, LogScan
from dataflow.system.log_text import MOST_LINES, Stored, continues, grouped, grouped_back

_BLOCK = 8 << 20
LONGEST = 1 << 20
"""Bytes of a line that are read; what is longer is cut, so that one line cannot fill the memory."""
_TIME = re.compile(rb'"timestamp": ?"([^"]{19,35})"')
_PROBE = 64 << 10


def read(service: str, path: Path, scan: LogScan) -> Iterator[Stored]:
    """The events of a log file and its rotated predecessors."""
    files = [file for file in (*_rotated(path), path) if _may_hold(file, scan)]
    for file in reversed(files) if scan.newest_first else files:
        try:
            with file.open("rb") as opened:
                yield from _read_one(service, opened, scan)
        except FileNotFoundError:
            continue  # it was rotated away meanwhile


def _rotated(path: Path) -> list[Path]:
    """Predecessors, oldest first."""
    found = [(int(file.suffix[1:]), file) for file in path.parent.glob(f"{path.name}.*") if file.suffix[1:].isdecimal()]
    return [file for _, file in sorted(found, reverse=True)]


def _may_hold(file: Path, scan: LogScan) -> bool:
    """Not what was last written before the stretch of time begins."""
    try:
        return scan.since is None or file.stat().st_mtime >= scan.since.timestamp() - 1
    except FileNotFoundError:
        return False


def _read_one(service: str, file: io.BufferedReader, scan: LogScan) -> Iterator[Stored]:
    end = _whole_end(file, scan.mark)
    start = _begin(file, end, scan.since) if scan.since else 0
    if scan.needle:
        hits = _hits_back(file, start, end, scan) if scan.newest_first else _hits(file, start, end, scan)
        yield from (Stored(service, text) for text in hits)
    elif scan.newest_first:
        yield from grouped_back(Stored(service, line) for line in _lines_back(file, start, end))
    else:
        yield from grouped(Stored(service, line) for line in _lines(file, start, end))


def mark(paths: Iterable[Path]) -> LogMark:
    """Where these logs end now, at whole lines."""
    places: dict[int, int] = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            places[os.fstat(file.fileno()).st_ino] = _whole_end(file, None)
    return LogMark(datetime.now(UTC), places)


def _whole_end(file: io.BufferedReader, known: LogMark | None) -> int:
    """Where the last whole line ends: the one after it is half written. Not behind a known mark."""
    end = file.seek(0, io.SEEK_END)
    if known:
        return min(end, known.places.get(os.fstat(file.fileno()).st_ino, 0))
    place = end
    while place > 0:
        begin = max(0, place - _PROBE)
        file.seek(begin)
        found = file.read(place - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        place = begin
    return 0


def _begin(file: io.BufferedReader, end: int, since: datetime) -> int:
    """A place before the first line of `since`, by halving: lines are roughly in the order of their times."""
    low, high = 0, end
    while high - low > _PROBE:
        middle = (low + high) // 2
        file.seek(middle)
        found = _TIME.search(file.read(_PROBE))
        time = _parsed(found[1]) if found else None
        if time is None:
            return low  # no times here: read all from where we know
        if time < since:
            low = middle
        else:
            high = middle
    if low == 0:
        return 0
    file.seek(max(0, low - _PROBE))
    return max(0, low - _PROBE) + len(file.readline())


def _parsed(text: bytes) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.decode("ascii", errors="replace"))
    except ValueError:
        return None
    return time if time.tzinfo else None


def _lines(file: io.BufferedReader, start: int, end: int) -> Iterator[str]:
    file.seek(start)
    place = start
    while place < end:
        line = file.readline(LONGEST)
        place += len(line)
        yield _text(line)
        while line and not line.endswith(b"\n") and place < end:  # the rest of a line that is cut
            line = file.readline(LONGEST)
            place += len(line)


def _lines_back(file: io.BufferedReader, start: int, end: int) -> Iterator[str]:
    rest = b""
    place = end
    while place > start:
        begin = max(start, place - (_PROBE if place == end else _BLOCK))
        file.seek(begin)
        first, *whole = (file.read(place - begin) + rest).split(b"\n")
        if place == end and whole and not whole[-1]:
            whole.pop()
        yield from map(_text, reversed(whole))
        rest, place = first if len(first) <= _BLOCK else first[:LONGEST], begin
    if end > start:
        yield _text(rest)


def _hits(file: io.BufferedReader, start: int, end: int, scan: LogScan) -> Iterator[str]:
    """Events that hold the needle, in their order."""
    needle, place, known = scan.needle.encode(), start, start
    while place < end:
        file.seek(place)
        block = file.read(min(_BLOCK, end - place))
        cut = block.rfind(b"\n") + 1 or len(block)
        offset = block.find(needle, 0, cut)
        while offset >= 0:
            first, last, text = _event_at(file, place + offset, start, end)
            if first >= known:
                yield text
                known = last
            offset = block.find(needle, max(last - place, offset + 1), cut)
        place = max(place + cut, min(known, end))


def _hits_back(file: io.BufferedReader, start: int, end: int, scan: LogScan) -> Iterator[str]:
    """The same from the last one on."""
    needle, place, known = scan.needle.encode(), end, end
    while place > start:
        begin = max(start, place - _BLOCK)
        file.seek(begin)
        block = file.read(place - begin)
        if begin > start:  # the first line of a block belongs to the one before, unless it fills the block
            begin += block.find(b"\n") + 1
            block = block[block.find(b"\n") + 1 :]
        offset = block.rfind(needle, 0, min(len(block), known - begin))
        while offset >= 0:
            first, _, text = _event_at(file, begin + offset, start, end)
            yield text
            known = first
            offset = block.rfind(needle, 0, max(0, first - begin))
        place = min(begin, known) if begin < place else begin - 1


def _event_at(file: io.BufferedReader, place: int, start: int, end: int) -> tuple[int, int, str]:
    """The event around a byte: where it begins and ends, and its text."""
    begin = _line_start(file, place, start)
    file.seek(begin)
    line = _text(file.readline())
    lines = [line]
    while begin > start and len(lines) < MOST_LINES:
        before_at = _line_start(file, begin - 1, start)
        file.seek(before_at)
        before = _text(file.readline())
        if not continues(lines[0], before):
            break
        lines.insert(0, before)
        begin = before_at
    file.seek(begin)
    for _ in lines:
        file.readline()
    last = file.tell()
    while last < end and len(lines) < MOST_LINES:
        following = file.readline()
        if not continues(_text(following), lines[-1]):
            break
        lines.append(_text(following))
        last += len(following)
    return begin, last, "\n".join(lines).rstrip("\n")


def _line_start(file: io.BufferedReader, place: int, start: int) -> int:
    step = 4096
    while place > start:
        begin = max(start, place - step)
        file.seek(begin)
        found = file.read(place - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        place, step = begin, step * 4
    return start


def _text(line: bytes) -> str:
    return line[:LONGEST].rstrip(b"\r\n").decode("utf-8", errors="replace")
