"""Copies of files, on whatever file system there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.errors import OperationFailedError
from dataflow.system.copies import copy_file


def test_a_copy_is_equal_and_apart(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(bytes(range(256)) * 40_000)
    assert copy_file(source, target) in ("reflink", "copy")
    assert target.read_bytes() == source.read_bytes()
    with target.open("r+b") as file:
        file.write(b"changed")
    assert source.read_bytes()[:3] == b"\x00\x01\x02"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperationFailedError) as error:
        copy_file(tmp_path / "a", tmp_path / "b")
    assert error.value.code == "FILE_FAILED"
    assert list(tmp_path.iterdir()) == []
