"""Lines that the engine keeps at the wrong place. A real engine does it now and then: stdout and stderr at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from dataflow.engines import docker_logs
from dataflow.engines.daemon import Daemon
from dataflow.engines.log_scan import LogMark, LogScan

# As Docker 28 kept them of one container: the second line is six microseconds older than the first.
KEPT = (
    b"2026-11-26T09:16:28.516128551Z I1126 client .admin\n"
    b"2026-11-26T09:16:28.516122239Z   S3           ready     0.2s\n"
    b"2026-11-26T09:16:28.616122239Z I1126 later\n"
)


class Engine:
    """Answers with bytes as the engine sends them."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def log(self, *_: object, **__: object) -> Iterator[bytes]:
        yield from (KEPT[:70], KEPT[70:])

    def summaries(self, _: str) -> list[dict[str, Any]]:
        if self.asked.is_set():
            return []
        return [{"Id": "x", "State": "running", "Labels": {"com.docker.compose.service": "store"}}]

    def follow(self, *_: object, **__: object) -> Iterator[bytes]:
        self.asked.set()
        yield KEPT


def test_lines_are_read_in_the_order_of_their_times() -> None:
    lines = docker_logs.read(cast("Daemon", Engine()), "x", "store", LogScan(singly=True))
    assert [line.text for line in lines] == ["  S3           ready     0.2s", "I1126 client .admin", "I1126 later"]


def test_a_line_that_is_older_than_the_one_before_is_not_lost_while_following() -> None:
    mark = LogMark(datetime(2026, 11, 26, tzinfo=UTC), {})
    lines = docker_logs.follow(cast("Daemon", Engine()), "p", ["store"], mark)
    found = list(islice((line.text for line in lines if line), 3))
    assert sorted(found) == ["  S3           ready     0.2s", "I1126 client .admin", "I1126 later"]
