"""A query is cancelled before, while and after it runs."""

from __future__ import annotations

import threading

import duckdb
import pytest

from dataflow.errors import Interrupted
from dataflow.shared.cancelling import Cancel


def test_before_it_begins() -> None:
    cancel = Cancel()
    cancel()
    with pytest.raises(Interrupted), cancel.watching(duckdb.connect()):
        raise AssertionError("it must not begin")


def test_while_it_runs() -> None:
    cancel, connection, began = Cancel(), duckdb.connect(), threading.Event()

    def ask() -> None:
        began.wait(30)
        cancel.insist()

    thread = threading.Thread(target=ask)
    thread.start()
    began.set()
    with pytest.raises((duckdb.InterruptException, Interrupted)), cancel.watching(connection):
        connection.execute("select count(*) from range(100000000) a, range(1000) b")
    thread.join()
    assert cancel.asked


def test_after_it_has_ended() -> None:
    cancel, connection = Cancel(), duckdb.connect()
    with cancel.watching(connection):
        connection.execute("select 1")
    cancel()
    assert connection.execute("select 2").fetchone() == (2,)
