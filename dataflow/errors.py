"""Every error a user can meet, and nothing else.

An error says what happened, why, and what to do. Its code is stable: scripts may match on it. Faces
turn an error into text, an envelope or an exit code; bugs are other exceptions and keep their traceback.

    DataflowError
    ├── UsageError                  the call itself is wrong
    ├── ConfirmationNeeded          a destructive command without a yes
    ├── Interrupted                 Ctrl-C, a signal
    ├── ConfigurationError          dataflow.toml, .env, config.yaml, workflow code: has a place
    ├── MissingError                engine, program, port, service or project that is not there
    ├── NotHealthyError             a service did not answer in time
    ├── RunFailedError              a workflow run ended in failure
    ├── ChecksFailedError           quality checks did not hold
    └── OperationFailedError        everything else that went wrong while doing the work
        ├── WarehouseError          DuckDB or Postgres
        ├── StorageError            the object store
        ├── SourceError             where a workflow reads from
        └── BackendError            Dagster, Loki and other services we ask
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do about an error: what it is for, and the command that does it."""

    label: str
    command: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a user's file something is wrong. Line and column count from 1."""

    path: Path
    line: int | None = None
    column: int | None = None
    snippet: str | None = None

    def __str__(self) -> str:
        parts = [str(self.path), *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)


class DataflowError(Exception):
    """The root. `code` is stable and upper case; `hint` says why or what to try, in one sentence.

    `data` is what the operation found out before it failed (its own result type), for whoever shows the error.
    """

    default_code = "FAILED"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        actions: tuple[Action, ...] = (),
        retryable: bool = False,
        place: Place | None = None,
        data: object = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.actions = actions
        self.retryable = retryable
        self.place = place
        self.data = data


class UsageError(DataflowError):
    """The call itself is wrong: an unknown name, two flags that exclude each other."""

    default_code = "USAGE"


class ConfirmationNeeded(DataflowError):
    """A command that destroys something was called without a yes."""

    default_code = "CONFIRMATION_NEEDED"


class Interrupted(DataflowError):
    """The user or the system asked us to stop."""

    default_code = "INTERRUPTED"


class ConfigurationError(DataflowError):
    """A file of the user's is invalid. `place` names the file, and the line where there is one.

    `findings` holds every fault of a file that has several (each a `dataflow.models.Finding`).
    """

    default_code = "CONFIG_INVALID"
    findings: tuple[object, ...] = ()


class MissingError(DataflowError):
    """Something that must be there is not: an engine, a program, a port, a service, a project."""

    default_code = "MISSING"


class NotHealthyError(DataflowError):
    """A service did not answer in time."""

    default_code = "NOT_HEALTHY"


class RunFailedError(DataflowError):
    """A workflow run ended in failure or was cancelled."""

    default_code = "RUN_FAILED"


class ChecksFailedError(DataflowError):
    """Quality checks did not hold."""

    default_code = "CHECKS_FAILED"


class OperationFailedError(DataflowError):
    """The work itself went wrong."""


class WarehouseError(OperationFailedError):
    """DuckDB or Postgres refused: locked, corrupt, bad SQL, no such table."""

    default_code = "WAREHOUSE_FAILED"


class StorageError(OperationFailedError):
    """The object store refused or did not answer."""

    default_code = "STORAGE_FAILED"


class SourceError(OperationFailedError):
    """A source that a workflow reads from refused, did not answer or sent nonsense."""

    default_code = "SOURCE_FAILED"


class BackendError(OperationFailedError):
    """A service we ask (Dagster, Loki, …) did not answer or answered with an error."""

    default_code = "BACKEND_FAILED"
