"""A stream of log lines: read and packed in a thread, fetched by the event loop in handfuls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from textual.message import Message
from textual.message_pump import MessagePump

from dataflow.models import LogLine
from dataflow_tui.log_buffer import ROOM, packed

Follow = Callable[[Callable[[], bool]], Iterator[LogLine]]


class Stream:
    """One question that goes on until it is closed."""

    class News(Message):
        """There are lines to fetch. Said once until they are."""

        def __init__(self, stream: Stream) -> None:
            super().__init__()
            self.stream = stream

    class Ended(Message):
        """No more will come, and why."""

        def __init__(self, stream: Stream, error: Exception | None) -> None:
            super().__init__()
            self.stream = stream
            self.error = error

    def __init__(self, follow: Follow, target: MessagePump) -> None:
        self._follow = follow
        self._target = target
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._closed = False

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="logs", daemon=True).start()

    def close(self) -> None:
        """Read no more; what still comes is thrown away."""
        self._closed = True

    def drain(self) -> list[str]:
        """The lines since the last time."""
        with self._lock:
            lines, self._lines = self._lines, []
        return lines

    def _read(self) -> None:
        error: Exception | None = None
        try:
            for line in self._follow(lambda: self._closed):
                if self._closed:
                    return
                self._take(packed(line))
        except Exception as caught:  # noqa: BLE001 - whatever a source does, the view shows it and goes on
            error = caught
        if not self._closed:
            self._target.post_message(self.Ended(self, error))

    def _take(self, line: str) -> None:
        with self._lock:
            first = not self._lines
            self._lines.append(line)
            del self._lines[:-ROOM]
        if first:
            self._target.post_message(self.News(self))
