"""What gets an engine's own data out and in: the run history, and databases. Backups and `engine switch` use it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal

from dataflow.errors import OperationFailedError
from dataflow.system.process import Completed

HISTORY = ("-m", "dataflow.workflows.history")
HistoryCommand = Literal["export", "load", "digest"]


class Carrier(ABC):
    """The data of one engine, but for what is reached over S3 and for the warehouse, which is a file of the project."""

    @abstractmethod
    def history(self, command: HistoryCommand, file: Path) -> dict[str, Any]:
        """Export the run history to a file, load it from one, or digest it; its counts (`workflows.history.Counts`).

        The file lies in the project's state. Raises OperationFailedError HISTORY_FAILED.
        """

    @abstractmethod
    def dump_databases(self, target: Path) -> None:
        """Write the databases that are the engine's own, beside the run history, to a file. Needs a Postgres."""

    @abstractmethod
    def load_databases(self, source: Path) -> None:
        """Bring the databases of such a file in, in the place of those with the same names. Needs a Postgres."""

    @abstractmethod
    def forget_replaced(self) -> None:
        """Remove what a restore left behind, or replaced."""


def counts_of(done: Completed) -> dict[str, Any]:
    """What the history program printed. Raises OperationFailedError HISTORY_FAILED."""
    lines = done.stdout.strip().splitlines()
    if done.code or not lines:
        words = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise OperationFailedError("The run history cannot be carried over.", code="HISTORY_FAILED", hint=words)
    return json.loads(lines[-1])
