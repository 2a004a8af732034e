# ruff: noqa: PT012 (what must raise is a statement inside the block of its connection)
"""Warehouse connections on real DuckDB files: locked, corrupt, read-only, full, too new; and SQL gone wrong."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from dataflow.errors import ConfigurationError, Interrupted, UsageError, WarehouseError
from dataflow.shared import db

ROOT = Path(__file__).parents[3]

# Everything is imported first: the other user may not be able to read the interpreter's own folder.
UNPRIVILEGED = "import os, psutil, tenacity, dataflow.shared.db\nif os.geteuid() == 0: os.setuid(65534)\n"


@contextmanager
def in_child(code: str, *, unprivileged: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Python in another process, once it has printed its first line; as another user where the tests run as root."""
    become = UNPRIVILEGED if unprivileged else ""
    preamble = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport duckdb, time\nfrom pathlib import Path\n"
    with subprocess.Popen(
        [sys.executable, "-c", preamble + become + code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.first_line = process.stdout.readline().strip()  # type: ignore[attr-defined]
        try:
            yield process
        finally:
            process.kill()


def holding(path: Path, seconds: float = 60) -> str:
    return f"c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep({seconds}); c.close()"


def fail(path: Path, sql: str = "SELECT 1", *, read: bool = False, wait: float = 0.0) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught:
        if read:
            with db.read_connection(path, wait=wait) as reader:
                reader.connection.execute(sql).fetchall()
        else:
            with db.write_connection(path, wait=wait) as connection:
                connection.execute(sql).fetchall()
    return caught.value


@pytest.fixture
def filled(warehouse: Path) -> Path:
    with db.write_connection(warehouse) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(1000)")
    return warehouse


def test_what_is_written_is_read_in_the_next_connection(filled: Path) -> None:
    with db.read_connection(filled) as reader:
        assert (reader.source, reader.stale) == ("live", False)
        assert reader.connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_the_folder_is_made_and_the_storage_version_is_one_that_old_readers_know(filled: Path) -> None:
    with duckdb.connect(str(filled), read_only=True) as connection:
        tags = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'warehouse'").fetchone()
    assert tags == ({"storage_version": "v1.4.0+"},)


def test_the_environment_says_where_the_warehouse_is(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_WAREHOUSE_PATH", str(filled))
    with db.read_connection() as reader:
        assert reader.connection.execute("SELECT max(a) FROM t").fetchone() == (999,)
    monkeypatch.delenv("DATAFLOW_WAREHOUSE_PATH")
    with pytest.raises(ConfigurationError, match="DATAFLOW_WAREHOUSE_PATH"):
        db.warehouse_path()


def test_a_lock_names_its_holder_and_what_to_do(filled: Path) -> None:
    with in_child(holding(filled)) as holder:
        for read in (False, True):
            error = fail(filled, read=read)
            assert (error.code, error.retryable) == ("WAREHOUSE_LOCKED", True)
            assert f"process {holder.pid} (" in error.message
            assert "python" in error.message
            assert "since 20" in error.message
            assert f"kill {holder.pid}" in [action.command for action in error.actions]


def test_the_wait_for_a_lock_is_bounded_and_rewarded(filled: Path) -> None:
    with in_child(holding(filled)):
        began = time.monotonic()
        fail(filled, wait=0.4)
        assert 0.3 <= time.monotonic() - began < 2
    with in_child(holding(filled, seconds=0.5)), db.write_connection(filled, wait=20) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_a_lock_of_our_own_process_is_a_lock_too(filled: Path) -> None:
    with db.write_connection(filled):
        error = fail(filled, read=True)
    assert error.code == "WAREHOUSE_LOCKED"
    assert str(os.getpid()) in error.message


def open_to_others(folder: Path) -> None:
    """Another user may come as far as this: pytest's folders are its own user's."""
    for parent in folder.parents:
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(0o755)


def test_a_lock_of_another_user_is_explained_too(filled: Path) -> None:
    filled.parent.chmod(0o777)
    open_to_others(filled.parent)
    filled.chmod(0o666)
    code = (
        "from dataflow.shared import db\nfrom dataflow.errors import WarehouseError\n"
        f"try:\n    with db.write_connection(Path({str(filled)!r}), wait=0): pass\n"
        "except WarehouseError as exc: print(exc.code, exc.message, flush=True)"
    )
    with db.write_connection(filled), in_child(code, unprivileged=True) as child:
        line = child.first_line  # type: ignore[attr-defined]
    assert line.startswith("WAREHOUSE_LOCKED")
    assert str(os.getpid()) in line


CORRUPTIONS = {
    "not a database": lambda data: b"x" * 20_000,
    "empty": lambda data: b"",
    "short": lambda data: data[:100],
    "damaged header": lambda data: data[:4096] + bytes(4096) + data[8192:],
    "damaged main header": lambda data: data[:100] + b"junk" + data[104:],
    "cut off": lambda data: data[: len(data) // 2],
}


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corrupt_warehouse_is_reported_and_left_as_it_is(filled: Path, kind: str) -> None:
    filled.write_bytes(CORRUPTIONS[kind](filled.read_bytes()))
    before = filled.read_bytes()
    error = fail(filled, "SELECT sum(a) FROM t")
    assert error.code == "WAREHOUSE_CORRUPT"
    assert str(filled) in error.message
    assert error.actions
    assert filled.read_bytes() == before


def test_damage_found_while_reading_rows_is_corruption_too(filled: Path) -> None:
    data = bytearray(filled.read_bytes())
    for block in range(3 * 4096 + 64, len(data), 262_144):
        data[block : block + 8] = b"\xff" * 8
    filled.write_bytes(data)
    assert fail(filled, "SELECT sum(a) FROM t", read=True).code == "WAREHOUSE_CORRUPT"


def test_a_file_of_a_newer_duckdb_is_told_from_a_corrupt_one(filled: Path) -> None:
    data = bytearray(filled.read_bytes())
    data[12] = 200  # the storage version; the header's checksum must fit again
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", data[8:4096]):
        checksum ^= (word * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    data[:8] = struct.pack("<Q", checksum)
    filled.write_bytes(data)
    assert fail(filled).code == "WAREHOUSE_VERSION"


def test_a_missing_warehouse_is_missing_for_a_reader(warehouse: Path) -> None:
    error = fail(warehouse, read=True)
    assert (error.code, str(warehouse) in error.message) == ("WAREHOUSE_MISSING", True)


def test_a_folder_in_its_place_is_no_warehouse(warehouse: Path) -> None:
    warehouse.mkdir(parents=True)
    assert fail(warehouse).code == "WAREHOUSE_CORRUPT"


def test_a_parent_that_is_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert fail(tmp_path / "file" / "w.duckdb").code == "NOT_WRITABLE"


def test_a_read_only_folder_is_not_writable(filled: Path) -> None:
    open_to_others(filled.parent)
    filled.chmod(0o444)
    filled.parent.chmod(0o555)
    code = (
        "from dataflow.shared import db\nfrom dataflow.errors import WarehouseError\n"
        f"for path in ({str(filled)!r}, {str(filled.parent / 'new.duckdb')!r}):\n"
        "    try:\n        with db.write_connection(Path(path), wait=0): print('opened')\n"
        "    except WarehouseError as exc: print(exc.code, end=' ')\n"
        f"with db.read_connection(Path({str(filled)!r})) as reader:\n"
        "    print(reader.connection.execute('SELECT count(*) FROM t').fetchone()[0], flush=True)\n"
    )
    with in_child(code, unprivileged=True) as child:
        line = child.first_line  # type: ignore[attr-defined]
    filled.parent.chmod(0o755)
    assert line == "NOT_WRITABLE NOT_WRITABLE 1000"


def test_a_full_disk_is_reported_and_loses_nothing_that_was_committed(filled: Path) -> None:
    """A file size limit stands for the full disk: it fails the same write, and needs no mount."""
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "from dataflow.shared import db\nfrom dataflow.errors import WarehouseError\n"
        f"try:\n    with db.write_connection(Path({str(filled)!r})) as c:\n"
        "        c.execute('CREATE TABLE big AS SELECT random() FROM range(2000000)')\n"
        "except WarehouseError as exc: print(exc.code, flush=True)\n"
    )
    with in_child(code) as child:
        assert child.first_line == "DISK_FULL"  # type: ignore[attr-defined]
    with db.read_connection(filled) as reader:
        assert reader.connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_a_syntax_error_has_its_line_and_column(filled: Path) -> None:
    error = fail(filled, "SELECT a,\n  nope\nFROM t")
    assert error.code == "WAREHOUSE_SQL"
    assert error.place is not None
    assert (error.place.line, error.place.column, error.place.snippet) == (2, 3, "  nope")
    assert error.hint == 'Candidate bindings: "a"'


@pytest.mark.parametrize(
    ("sql", "message", "hint", "column"),
    [
        ("FROM tt", "Catalog Error: Table with name tt does not exist!", 'Did you mean "t"?', 6),
        ("SELECT t.b FROM t", 'Binder Error: Table "t" does not have a column named "b"', 'Candidate bindings: "a"', 8),
        ("SELECT 'x'::INTEGER", "Conversion Error: Could not convert string 'x' to INT32", None, 11),
        ("SELECT 1 +", "Parser Error: syntax error at end of input", None, None),
        ("SELECT error('one\ntwo')", "Invalid Input Error: one", "two", None),
    ],
)
def test_an_sql_error_says_each_thing_once(
    filled: Path, sql: str, message: str, hint: str | None, column: int | None
) -> None:
    error = fail(filled, sql)
    assert (error.message, error.hint, error.place and error.place.column) == (message, hint, column)
    assert error.place is None or error.place.snippet == sql


def test_the_candidates_of_an_sql_error_are_few(filled: Path) -> None:
    hint = fail(filled, "SELECT sum('x')").hint
    assert hint is not None
    assert hint.splitlines()[:2] == ["Candidate functions:", "sum(DECIMAL) -> DECIMAL"]
    assert len(hint.splitlines()) == 4


def test_a_line_that_duckdb_draws_a_part_of_has_no_column(filled: Path) -> None:
    place = fail(filled, "SELECT " + "a, " * 100 + "nope FROM t").place
    assert place is not None
    assert (place.line, place.column) == (1, None)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "WAREHOUSE_SQL"),
        ("SELECT * FROM nowhere", "WAREHOUSE_SQL"),
        ("SELECT 'x'::INTEGER", "WAREHOUSE_SQL"),
        ("SELECT * FROM '/nowhere.parquet'", "WAREHOUSE_SQL"),
        ("SET memory_limit = '20MB'; SELECT list(range) FROM range(100000000)", "WAREHOUSE_MEMORY"),
    ],
)
def test_statements_that_fail_have_a_code(filled: Path, sql: str, code: str) -> None:
    assert fail(filled, sql).code == code


def test_writing_on_a_reader_says_how_to_write_on_the_command_line_and_in_code(filled: Path) -> None:
    error = fail(filled, "DROP TABLE t", read=True)
    assert error.code == "WAREHOUSE_READ_ONLY"
    assert error.hint is not None
    assert "`dataflow data query --write …`" in error.hint
    assert "in code: db.write_connection()" in error.hint


def test_a_bug_in_the_block_stays_the_bug_it_is(filled: Path) -> None:
    with pytest.raises(ZeroDivisionError), db.write_connection(filled):
        _ = 1 / 0
    with pytest.raises(RuntimeError, match="mine"), db.read_connection(filled):
        raise RuntimeError("mine")


def test_a_transaction_is_all_or_nothing_and_nests(filled: Path) -> None:
    with db.write_connection(filled) as connection:
        with pytest.raises(ValueError, match="half"), db.transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
            with db.transaction(connection):
                connection.execute("INSERT INTO t VALUES (2)")
            raise ValueError("half-way")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        with db.transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1001,)


def test_a_transaction_survives_an_sql_error_in_it(filled: Path) -> None:
    with db.write_connection(filled) as connection:
        with pytest.raises(duckdb.Error), db.transaction(connection):
            connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("SELECT nope")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range"


def test_ctrl_c_in_a_query_is_a_keyboard_interrupt_and_rolls_back(filled: Path) -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt), db.write_connection(filled) as connection, db.transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute(ENDLESS)
    with db.read_connection(filled) as reader:
        assert reader.connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)


def test_an_interrupted_connection_says_interrupted(filled: Path) -> None:
    with pytest.raises(Interrupted), db.write_connection(filled) as connection:
        threading.Timer(0.3, connection.interrupt).start()
        connection.execute(ENDLESS)


def test_a_killed_writer_leaves_what_it_committed_and_no_lock(filled: Path) -> None:
    code = (
        f"c = duckdb.connect({str(filled)!r}); c.execute('INSERT INTO t VALUES (1)'); "
        "c.execute('BEGIN'); c.execute('INSERT INTO t VALUES (2)'); print('x', flush=True); time.sleep(60)"
    )
    with in_child(code) as child:
        os.kill(child.pid, signal.SIGKILL)
    with db.write_connection(filled, wait=5) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1001,)


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("t", '"t"'),
        ("s.t", '"s"."t"'),
        ('"a.b".c', '"a.b"."c"'),
        ('"a""b".c', '"a""b"."c"'),
        ("ü.x y", '"ü"."x y"'),
    ],
)
def test_names_are_quoted(name: str, sql: str) -> None:
    assert db.qualified(name) == sql


@pytest.mark.parametrize("name", ["", ".", "a.", "a..b", "a.b.c.d", "a\0b", '"open', 't; DROP TABLE t--"'])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        db.qualified(name)
    assert caught.value.code == "NAME_INVALID"


def test_a_name_cannot_smuggle_sql(filled: Path) -> None:
    name = 't"; DROP TABLE t; --'
    with db.write_connection(filled) as connection:
        connection.execute(f"CREATE TABLE {db.quote(name)} (a INTEGER)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
