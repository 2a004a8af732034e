"""dbt inside our process, with the face of a subprocess, because that is what dagster-dbt reads from.

A program of its own spends two thirds of its time on importing dbt, which a run's process has done already. dbt allows
one invocation at a time in a process (https://docs.getdbt.com/reference/programmatic-invocations): a run's steps are
one after the other, and the pool `duckdb` keeps other runs out.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Output:
    """The lines that dbt would print, as bytes; iterating ends with dbt."""

    def __init__(self) -> None:
        self.closed = False
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def write(self, line: str) -> None:
        """Add a line."""
        self._lines.put(line.encode())

    def end(self) -> None:
        """Nothing follows."""
        self._lines.put(None)

    def __iter__(self) -> Iterator[bytes]:
        while (line := self._lines.get()) is not None:
            yield line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.closed = True


class DbtThread:
    """dbt in a thread: what dagster-dbt uses of `subprocess.Popen`.

    `returncode` is dbt's: 0 succeeded, 1 something failed, 2 dbt itself did. The process's folder is the project's
    while dbt runs, as dbt demands, and what it was afterwards. The warehouse is closed when dbt has ended.
    """

    def __init__(self, args: Sequence[str]) -> None:
        self.args = ["dbt", *args]
        self.stdout = Output()
        self.returncode: int | None = None
        self._thread = threading.Thread(target=self._run, name="dbt", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises TimeoutError after `timeout` seconds."""
        self._thread.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"dbt has not ended within {timeout} s")
        return self.returncode

    def send_signal(self, signal: int) -> None:  # noqa: ARG002 - the interface; any signal means Ctrl-C
        """End as on Ctrl-C: dbt hears it in its own thread, after the query that it waits for has been stopped."""
        identity = ctypes.c_ulong(self._thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(KeyboardInterrupt))
        from dbt.adapters.factory import FACTORY

        adapters: list[Any] = list(FACTORY.adapters.values())
        for adapter in adapters:
            adapter.cancel_open_connections()

    def _run(self) -> None:
        folder = Path.cwd()
        try:
            self.returncode = self._invoke()
        finally:
            os.chdir(folder)
            _close_warehouse()
            _close_log()
            self.returncode = 2 if self.returncode is None else self.returncode
            self.stdout.end()

    def _invoke(self) -> int:
        from dbt.cli.main import dbtRunner

        result = dbtRunner(callbacks=[self._heard]).invoke(self.args[1:])
        if result.exception:
            self.stdout.write(f"{result.exception}")
        return 0 if result.success else 2 if result.exception else 1

    def _heard(self, event: Any) -> None:
        """An event of dbt; those for debugging are in its log only."""
        from dbt_common.events.functions import msg_to_json

        if event.info.level != "debug":
            self.stdout.write(msg_to_json(event))


def _close_warehouse() -> None:
    """dbt-duckdb keeps the file open for as long as the process lives; the run's next steps have to write, too."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    # Private, because its `env()` fails where there is none.
    environment = DuckDBConnectionManager._ENV  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    if environment is not None:
        environment.close()
        DuckDBConnectionManager.close_all_connections()


def _close_log() -> None:
    """Dbt drops its loggers and leaves the file of its log open."""
    from dbt_common.events.event_manager_client import cleanup_event_logger, get_event_manager

    for logger in get_event_manager().loggers:
        python_logger: logging.Logger | None = getattr(logger, "_python_logger", None)
        for handler in python_logger.handlers if python_logger else ():
            handler.close()
    cleanup_event_logger()
