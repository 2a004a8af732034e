"""The native engine's own data: run history as SQLite files, read and written by a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataflow.engines.carrier import HISTORY, Carrier, HistoryCommand, counts_of
from dataflow.system.process import run


class NativeCarrier(Carrier):
    """`environment` is the one of code that finds the history."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def history(self, command: HistoryCommand, file: Path) -> dict[str, Any]:
        """Export, load or digest."""
        arguments = [*HISTORY, command, *([] if command == "digest" else [str(file)])]
        return counts_of(run([sys.executable, *arguments], env=self._environment))

    def dump_databases(self, target: Path) -> None:
        """There are none, and nobody asks: `quiet.has_databases` says so before."""
        raise AssertionError(f"the native engine has no databases to write to {target}")

    def load_databases(self, source: Path) -> None:
        """There is no Postgres to load them into."""
        raise AssertionError(f"the native engine has no Postgres to load {source} into")

    def forget_replaced(self) -> None:
        """A restore moves folders, and removes the old ones itself."""
