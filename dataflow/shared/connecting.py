"""Opening a DuckDB file: with the storage version every reader knows, and a bounded wait for its lock."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.errors import WarehouseError
from dataflow.shared.environment import required
from dataflow.shared.warehouse_errors import is_locked, warehouse_errors

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Evidence's connector and other 1.4 readers open this; files that exist keep the version they have.
STORAGE_VERSION = "v1.4.0"


def warehouse_path() -> Path:
    """The warehouse file, from DATAFLOW_WAREHOUSE_PATH.

    Raises:
        ConfigurationError: VARIABLE_MISSING; the variable is unset.
    """
    return Path(required("DATAFLOW_WAREHOUSE_PATH"))


@contextmanager
def opened(path: Path, *, read_only: bool, wait: float) -> Generator[DuckDBPyConnection]:
    """A connection to the file, closed at the end of the block; what DuckDB raises in between becomes ours.

    `wait` is how many seconds a lock of somebody else's is waited for.

    Raises:
        WarehouseError: WAREHOUSE_LOCKED, WAREHOUSE_CORRUPT, WAREHOUSE_VERSION, WAREHOUSE_MISSING, DISK_FULL,
            NOT_WRITABLE on opening; WAREHOUSE_SQL and others for what the block does.
    """
    if not read_only:
        _make_folder(path.parent)
    with warehouse_errors(path):
        connection = _connect(path, read_only=read_only, wait=wait)
        try:
            yield connection
        except BaseException:
            # After Ctrl-C the tasks of the query may still run, and closing would wait for them to end by themselves.
            connection.interrupt()
            raise
        finally:
            connection.close()


def _connect(path: Path, *, read_only: bool, wait: float) -> DuckDBPyConnection:
    import duckdb
    import tenacity

    config: dict[str, str | bool | int | float | list[str]] = (
        {} if read_only else {"storage_compatibility_version": STORAGE_VERSION}
    )
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_locked),
        stop=tenacity.stop_before_delay(wait),
        wait=tenacity.wait_random(0.02, 0.1),
        reraise=True,
    )
    return retrying(lambda: duckdb.connect(str(path), read_only=read_only, config=config))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise WarehouseError(
            f"The folder {folder} cannot be made: {exc.strerror}",
            code="NOT_WRITABLE",
            hint="Point the warehouse setting at a folder you may write to",
        ) from exc
