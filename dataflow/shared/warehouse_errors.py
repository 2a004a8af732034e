"""DuckDB's exceptions as ours. It tells most file faults apart only by text, so the texts stand here, once."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import Action, DataflowError, Interrupted, Place, WarehouseError
from dataflow.shared.lock_holder import find_holder

if TYPE_CHECKING:
    from duckdb import Error

LOCKED = re.compile(
    r"could not set lock|being used by another process|different configuration than existing|file handle conflict",
    re.IGNORECASE,
)
DRAWN = re.compile(r"^LINE \d+: ", re.MULTILINE)
ADVICE_LINES = 4
# (what DuckDB says, code, our sentence, hint, action); the first that matches wins.
FAULTS: tuple[tuple[re.Pattern[str], str, str, str, tuple[Action, ...]], ...] = (
    (
        re.compile(r"version number \d+, but we can only read", re.IGNORECASE),
        "WAREHOUSE_VERSION",
        "was written by a newer DuckDB than the one installed",
        "Open it with the DuckDB that wrote it, or write it with STORAGE_VERSION 'v1.4.0'",
        (Action("Upgrade DuckDB", "pip install --upgrade duckdb"),),
    ),
    (
        re.compile(r"not a valid DuckDB database|corrupt|checksum .*does not match|file is too small", re.IGNORECASE),
        "WAREHOUSE_CORRUPT",
        "is damaged or is not a DuckDB file",
        "The file was left as it is. Keep it, but move it aside: then each workflow's next run loads the lake anew",
        (
            Action("See the workflows", "dataflow workflow list"),
            Action("Load anew, after moving the file aside", "dataflow workflow run NAME"),
        ),
    ),
    (
        re.compile(r"no space left|file too large|disk quota exceeded|not enough space", re.IGNORECASE),
        "DISK_FULL",
        "could not be written: the disk is full",
        "What was committed is safe. Free some space and run again",
        (Action("See what is free", "df -h"),),
    ),
    (
        re.compile(r"permission denied|read-only file system|operation not permitted", re.IGNORECASE),
        "NOT_WRITABLE",
        "may not be opened here: permission denied or a read-only folder",
        "The user that runs this needs the right to write the file and its folder (DuckDB keeps its log beside it)",
        (Action("See the owner", "ls -l"),),
    ),
    (
        re.compile(r"database does not exist|no such file or directory", re.IGNORECASE),
        "WAREHOUSE_MISSING",
        "does not exist yet",
        "The first workflow run creates it",
        (Action("Run a workflow", "dataflow workflow list"),),
    ),
    (
        re.compile(r"is a directory", re.IGNORECASE),
        "WAREHOUSE_CORRUPT",
        "is a folder, not a DuckDB file",
        "Point the warehouse setting at a file",
        (Action("See the setting", "dataflow config show --origin"),),
    ),
)
# A COPY or a spill to disk meets these on files of its own; the other faults only make sense for the warehouse.
ABOUT_ANY_FILE = frozenset({"DISK_FULL", "NOT_WRITABLE"})


@contextmanager
def warehouse_errors(path: Path) -> Generator[None]:
    """Turn what DuckDB raises inside the block into WarehouseError, or Interrupted for an interrupted query."""
    import duckdb

    try:
        yield
    except duckdb.Error as exc:
        raise translated(exc, path) from exc
    except RuntimeError as exc:
        # DuckDB wraps whatever a signal handler raised during a query; the caller expects the handler's own exception.
        if str(exc) == "Query interrupted" and exc.__cause__ is not None:
            raise exc.__cause__ from None
        raise


def is_locked(exc: BaseException) -> bool:
    """Whether DuckDB refused because somebody else, or this process in another mode, has the file open."""
    return LOCKED.search(str(exc)) is not None


def translated(exc: Error, path: Path) -> DataflowError:
    """Our error for one of DuckDB's: file faults by their text, all else as WAREHOUSE_SQL."""
    import duckdb

    if isinstance(exc, duckdb.InterruptException):
        return Interrupted("The query was interrupted", hint="Nothing of it was kept")
    if is_locked(exc):
        return _locked(path)
    if isinstance(exc, (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException)):
        subject = _file_named(exc, path)
        for pattern, code, sentence, hint, actions in FAULTS:
            if pattern.search(str(exc)) and (subject == str(path) or code in ABOUT_ANY_FILE):
                return WarehouseError(f"{subject} {sentence}", code=code, hint=hint, actions=actions)
    return _in_a_statement(exc)


def _file_named(exc: BaseException, path: Path) -> str:
    """The file that the message is about: the warehouse (or its log) unless another one is named."""
    found = re.search(r'"([^"]+)"', str(exc))
    return found.group(1) if found and not found.group(1).startswith(str(path)) else str(path)


def _locked(path: Path) -> WarehouseError:
    holder = find_holder(path)
    who = str(holder) if holder else "another process that cannot be seen from here (a container or another user)"
    stop = (Action("Stop it", f"kill {holder.pid}"),) if holder else ()
    return WarehouseError(
        f"{path} is locked by {who}",
        code="WAREHOUSE_LOCKED",
        hint="DuckDB lets one process write at a time. Wait for it to end, or stop it",
        actions=(Action("See what is running", "dataflow workflow runs"), *stop),
        retryable=True,
    )


def _in_a_statement(exc: Error) -> WarehouseError:
    import duckdb

    if isinstance(exc, duckdb.OutOfMemoryException):
        hint = "Give DuckDB more memory (SET memory_limit), or work on fewer rows at once"
        return WarehouseError(first_line(exc), code="WAREHOUSE_MEMORY", hint=hint)
    if isinstance(exc, duckdb.TransactionException) and "onflict" in str(exc):
        return WarehouseError(first_line(exc), code="WAREHOUSE_CONFLICT", hint="Run it again", retryable=True)
    if "attached in read-only mode" in str(exc):
        hint = (
            "Reading connections refuse changes. "
            "On the command line: `dataflow data query --write …`; in code: db.write_connection()"
        )
        return WarehouseError(first_line(exc), code="WAREHOUSE_READ_ONLY", hint=hint)
    return WarehouseError(first_line(exc), code="WAREHOUSE_SQL", hint=_advice(str(exc)), place=place_in_sql(str(exc)))


def first_line(exc: BaseException) -> str:
    """The first line of a message: DuckDB puts advice for its own users below it."""
    return str(exc).strip().partition("\n")[0]


def _advice(message: str) -> str | None:
    """What DuckDB says below its first line and above the statement: what was meant, candidates, the file's line."""
    below = DRAWN.split(message.strip())[0].partition("\n")[2]
    first = below.strip().split("\n\n")[0].splitlines()[:ADVICE_LINES]
    return "\n".join(line.strip().replace(": : ", ": ") for line in first) or None


def place_in_sql(message: str) -> Place | None:
    """Line and column of an SQL error.

    DuckDB and Postgres both draw `LINE 2: select nope` with a caret below it; both columns count from one margin.
    """
    found = re.search(r"^(LINE (\d+): )(.*)\n( *)\^", message, re.MULTILINE)
    if found is None:
        return None
    # Of a long line only a part is drawn, and the column in the whole line cannot be told.
    column = None if found[3].startswith("...") else len(found[4]) - len(found[1]) + 1
    return Place(Path("<sql>"), line=int(found[2]), column=column, snippet=found[3])
