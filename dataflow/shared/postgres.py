"""Postgres connections as context managers, with the driver's exceptions mapped to ours."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataflow.errors import Action, ConfigurationError, DataflowError, Interrupted, WarehouseError
from dataflow.shared.environment import required
from dataflow.shared.masking import mask
from dataflow.shared.warehouse_errors import place_in_sql

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
DSN_HINT = "Write postgresql://user:password@host:5432/database"


@contextmanager
def postgres_connection(dsn: str | None = None) -> Generator[psycopg.Connection]:
    """A Postgres connection: committed at the end of the block, rolled back when it raises, always closed.

    The DSN is DATAFLOW_POSTGRES_DSN when none is given.

    Raises:
        ConfigurationError: VARIABLE_MISSING; POSTGRES_DSN_INVALID.
        WarehouseError: POSTGRES_DOWN (retryable), POSTGRES_CREDENTIALS, POSTGRES_MISSING, WAREHOUSE_CONFLICT
            (retryable), DISK_FULL, WAREHOUSE_SQL with the line.
    """
    import psycopg

    target = dsn or required("DATAFLOW_POSTGRES_DSN")
    try:
        connection = psycopg.connect(target, connect_timeout=_timeout(target))
    except psycopg.OperationalError as exc:
        raise _cannot_connect(exc, target) from exc
    except psycopg.ProgrammingError as exc:
        message = "The Postgres address cannot be read"
        raise ConfigurationError(message, code="POSTGRES_DSN_INVALID", hint=DSN_HINT) from exc
    try:
        with connection:
            yield connection
    except psycopg.Error as exc:
        raise _translated(exc) from exc


def _timeout(dsn: str) -> int:
    from psycopg.conninfo import conninfo_to_dict

    asked = conninfo_to_dict(dsn).get("connect_timeout") or os.environ.get("PGCONNECT_TIMEOUT")
    return int(asked or CONNECT_SECONDS)


def _cannot_connect(exc: psycopg.OperationalError, dsn: str) -> WarehouseError:
    text = mask(str(exc).strip().splitlines()[-1])
    if "password authentication failed" in text or "no password supplied" in text or "does not exist" in text:
        missing = "database" in text and "does not exist" in text
        return WarehouseError(
            f"Postgres refused: {text}",
            code="POSTGRES_MISSING" if missing else "POSTGRES_CREDENTIALS",
            hint="Create the database" if missing else "Check user and password in DATAFLOW_POSTGRES_DSN",
            actions=(Action("See where the address comes from", "dataflow config show --origin"),),
        )
    return WarehouseError(
        f"Postgres at {_where(dsn)} does not answer: {text}",
        code="POSTGRES_DOWN",
        hint="Is it started, and are host and port right?",
        actions=(Action("See what runs", "dataflow status"),),
        retryable=True,
    )


def _where(dsn: str) -> str:
    from psycopg.conninfo import conninfo_to_dict

    parsed = conninfo_to_dict(dsn)
    return f"{parsed.get('host', 'localhost')}:{parsed.get('port', 5432)}"


def _translated(exc: psycopg.Error) -> DataflowError:
    from psycopg import errors

    text = mask(str(exc).strip())
    if isinstance(exc, errors.QueryCanceled):
        return Interrupted("The query was cancelled", hint="Nothing of it was kept")
    if isinstance(exc, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable):
        return WarehouseError(text, code="WAREHOUSE_CONFLICT", hint="Run it again", retryable=True)
    if isinstance(exc, errors.DiskFull):
        return WarehouseError(text, code="DISK_FULL", hint="Free some space on the Postgres server")
    if exc.sqlstate is None or exc.sqlstate.startswith(("08", "57P")):
        hint = "The connection broke; nothing uncommitted was kept"
        return WarehouseError(text, code="POSTGRES_DOWN", hint=hint, retryable=True)
    hint = exc.diag.message_hint or exc.diag.message_detail
    return WarehouseError(
        text.partition("\n")[0], code="WAREHOUSE_SQL", hint=mask(hint) if hint else None, place=place_in_sql(text)
    )
