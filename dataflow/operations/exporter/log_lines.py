"""How many lines services write, by level: from the native engine's files, or from Loki."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dataflow.clients.loki import Loki
from dataflow.operations.exporter.metrics import Reading
from dataflow.operations.log_parse import parse
from dataflow.system.log_text import Stored, grouped

_MOST = 4 << 20  # bytes of one file that are read at a time; the rest comes with the next look
_SETTLED = 5  # seconds until Loki surely has a line
_SECOND = 1_000_000_000
NO_LEVEL = "none"

Counts = Counter[tuple[str, str]]


def _readings(counts: Counts) -> Iterator[Reading]:
    for labels, count in sorted(counts.items()):
        yield Reading("dataflow_log_lines_total", labels, count)


class FileLines:
    """Lines in the native engine's log files that were written since the exporter began."""

    name = "logs"
    every = 5.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counts: Counts = Counter()
        self._places: dict[Path, tuple[int, int]] = {file: _end(file) for file in self._files()}

    def read(self) -> Iterator[Reading]:
        """Count what is new."""
        for file in self._files():
            service = file.stem
            for line in grouped(Stored(service, text) for text in self._new(file)):
                if line.text.strip():
                    self._counts[service, parse(line).level or NO_LEVEL] += 1
        return _readings(self._counts)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.jsonl"))

    def _new(self, file: Path) -> Iterable[str]:
        """The whole lines after the place that was read last; a file that took its name begins at its start."""
        inode, place = self._places.get(file, (0, 0))
        now, size = _end(file)
        if now != inode or size < place:
            place = 0
        with file.open("rb") as opened:
            opened.seek(place)
            block = opened.read(_MOST)
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) == _MOST:
            end = len(block)  # one line larger than all we read: not kept waiting for its end
        self._places[file] = (now, place + end)
        return block[:end].decode("utf-8", errors="replace").split("\n")


def _end(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_ino, found.st_size


class LokiLines:
    """Lines that Loki got since the exporter began, where it is `wanted`. `selector`: those of this project."""

    name = "logs"
    every = 15.0

    def __init__(self, loki: Loki, selector: str, wanted: Callable[[], bool]) -> None:
        self._loki = loki
        self._wanted = wanted
        self._selector = selector
        self._until = int(time.time()) - _SETTLED
        self._counts: Counts = Counter()

    def read(self) -> Iterator[Reading]:
        """Count what came since the last look."""
        until = int(time.time()) - _SETTLED
        span = until - self._until
        if span > 0 and self._wanted():
            query = f"sum by (service, level) (count_over_time({self._selector}[{span}s]))"
            found = self._loki.series(query, since=until * _SECOND, until=until * _SECOND, step=span)
            for series in found:
                labels = (series.labels.get("service", ""), series.labels.get("level") or NO_LEVEL)
                self._counts[labels] += int(series.points[-1][1]) if series.points else 0
            self._until = until
        return _readings(self._counts)
