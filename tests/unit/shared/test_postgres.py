"""Postgres connections on a real server, brought by the development requirement `pgserver`."""

# ruff: noqa: PT012 (what must raise is a statement inside the block of its connection)
from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflow.errors import ConfigurationError, WarehouseError
from dataflow.shared.db import postgres_connection

from .conftest import free_ports

pgserver = pytest.importorskip("pgserver", reason="pgserver brings Postgres for these tests")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """Its folder lies outside pytest's own: the server drops root, and could not enter that one."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pgserver.get_server(folder / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def code_of(dsn: str, sql: str = "SELECT 1") -> str:
    with pytest.raises(WarehouseError) as caught, postgres_connection(dsn) as connection:
        connection.execute(sql)  # type: ignore[arg-type]
    return caught.value.code


def test_the_block_is_committed_at_its_end_and_the_connection_closed(dsn: str) -> None:
    with postgres_connection(dsn) as connection:
        connection.execute("CREATE TABLE committed AS SELECT 1 AS a")
    assert connection.closed
    with postgres_connection(dsn) as connection:
        assert connection.execute("SELECT a FROM committed").fetchone() == (1,)


def test_a_block_that_raises_is_rolled_back(dsn: str) -> None:
    with pytest.raises(ValueError, match="no"), postgres_connection(dsn) as connection:
        connection.execute("CREATE TABLE rolled_back AS SELECT 1 AS a")
        raise ValueError("no")
    assert code_of(dsn, "SELECT * FROM rolled_back") == "WAREHOUSE_SQL"


def test_an_sql_error_has_its_line(dsn: str) -> None:
    with pytest.raises(WarehouseError) as caught, postgres_connection(dsn) as connection:
        connection.execute("SELECT 1,\n nope")
    assert caught.value.code == "WAREHOUSE_SQL"
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == (2, 2)
    assert caught.value.message == 'column "nope" does not exist'


def test_the_row_that_breaks_a_constraint_is_named(dsn: str) -> None:
    with pytest.raises(WarehouseError, match="duplicate key") as caught, postgres_connection(dsn) as connection:
        connection.execute("CREATE TEMP TABLE keyed (id INTEGER PRIMARY KEY)")
        connection.execute("INSERT INTO keyed VALUES (7), (7)")
    assert caught.value.hint == "Key (id)=(7) already exists."


def test_a_missing_database_is_named(dsn: str) -> None:
    assert code_of(dsn.replace("/postgres?", "/nowhere?")) == "POSTGRES_MISSING"


def test_a_lock_wait_that_ends_is_a_conflict(dsn: str) -> None:
    with postgres_connection(dsn) as holder:
        holder.execute("CREATE TABLE locked (a INTEGER)")
        holder.commit()
        holder.execute("LOCK TABLE locked")
        assert code_of(dsn, "SET lock_timeout = '50ms'; SELECT * FROM locked") == "WAREHOUSE_CONFLICT"


def test_a_connection_that_the_server_ends_is_down(dsn: str) -> None:
    assert code_of(dsn, "SELECT pg_terminate_backend(pg_backend_pid())") == "POSTGRES_DOWN"


def test_no_server_is_down_and_retryable_and_shows_no_password() -> None:
    target = f"postgresql://me:s3cretpass@127.0.0.1:{free_ports(1)[0]}/db"
    with pytest.raises(WarehouseError) as caught, postgres_connection(target):
        pass
    assert (caught.value.code, caught.value.retryable) == ("POSTGRES_DOWN", True)
    assert "s3cretpass" not in f"{caught.value} {caught.value.hint}"


def test_an_address_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as caught, postgres_connection("postgresql://[nonsense"):
        pass
    assert caught.value.code == "POSTGRES_DSN_INVALID"


def test_the_environment_gives_the_address(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_POSTGRES_DSN", dsn)
    with postgres_connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    monkeypatch.delenv("DATAFLOW_POSTGRES_DSN")
    with pytest.raises(ConfigurationError, match="DATAFLOW_POSTGRES_DSN"), postgres_connection():
        pass
