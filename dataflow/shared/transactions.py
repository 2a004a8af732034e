"""Transactions that nest: an inner block joins the outer one, so a loader is atomic alone and within a larger one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Generator[None]:
    """All of the block or nothing of it, also when it is interrupted; inside another transaction, part of that one."""
    if _is_open(connection):
        yield
        return
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        # After Ctrl-C the tasks of the query may still run, and a ROLLBACK would wait for them to end by themselves.
        connection.interrupt()
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_open(connection: DuckDBPyConnection) -> bool:
    """Two statements share a transaction id only inside a transaction; asking with BEGIN would abort the outer one."""
    first, second = (connection.execute("SELECT txid_current()").fetchone() for _ in range(2))
    return first == second
