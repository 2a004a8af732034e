"""Cancel a query of DuckDB from another thread, also one that has not begun yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataflow.errors import Interrupted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


_AGAIN = 0.05


class Cancel:
    """One query's way out. Call it from any thread, as often as you like."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: DuckDBPyConnection | None = None
        self.asked = False

    def __call__(self) -> None:
        """End the query; where it has ended, nothing happens."""
        with self._lock:
            self.asked = True
            if self._connection is not None:
                self._connection.interrupt()

    def insist(self) -> None:
        """Cancel until it has ended: DuckDB forgets what comes between two statements."""
        self()
        while self._connection is not None:
            time.sleep(_AGAIN)
            self()

    @contextmanager
    def watching(self, connection: DuckDBPyConnection) -> Generator[None]:
        """While the query runs on this connection. Raises Interrupted where it was cancelled before."""
        with self._lock:
            if self.asked:
                raise Interrupted("The query was cancelled.")
            self._connection = connection
        try:
            yield
        finally:
            with self._lock:
                self._connection = None
