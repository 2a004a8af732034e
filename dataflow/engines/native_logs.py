"""Log files as they grow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dataflow.engines.log_files import LONGEST
from dataflow.engines.log_scan import LogMark
from dataflow.system.log_text import Stored

_POLL = 0.1
_READ = 4 << 20


def follow(files: Callable[[], Mapping[Path, str]], mark: LogMark) -> Iterator[Stored | None]:
    """New lines of each file, for ever; None when all that there is has come.

    `files` gives the service of each file, and is asked again for new ones. A log that rotates is followed to its end
    and then on in its successor.
    """
    places = dict(mark.places)
    while True:
        for path, service in files().items():
            for file in (path.with_name(f"{path.name}.1"), path):
                yield from _news(file, service, places, new=file == path)
        yield None
        time.sleep(_POLL)


def _news(file: Path, service: str, places: dict[int, int], *, new: bool) -> Iterator[Stored]:
    try:
        with file.open("rb") as opened:
            inode = os.fstat(opened.fileno()).st_ino
            if inode not in places and not new:
                return  # it was rotated away before we came
            start = places.get(inode, 0)
            size = os.fstat(opened.fileno()).st_size
            if size < start:  # it was emptied
                start = 0
            while start < size:
                opened.seek(start)
                data = opened.read(_READ)
                whole = data.rfind(b"\n") + 1
                if not whole:
                    break
                for line in data[:whole].split(b"\n")[:-1]:
                    yield Stored(service, line[:LONGEST].rstrip(b"\r").decode("utf-8", errors="replace"))
                start += whole
            places[inode] = start
    except FileNotFoundError:
        return
