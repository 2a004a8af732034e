"""Exports in the forms that Nightscout and mongoexport write, whole and broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dataflow.errors import SourceError
from workflows.nightscout import export


def read(path: Path, content: str | bytes) -> list[tuple[int, str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(export.documents(path))


def test_json_lines_come_with_their_line_numbers_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path / "e.jsonl", '{"a":1}\n\n{"a":2}\n') == [(1, '{"a":1}'), (3, '{"a":2}')]


def test_an_array_over_many_lines_comes_element_by_element(tmp_path: Path) -> None:
    assert read(tmp_path / "e.json", '[\n{"a":1},\n{"a":\n2}\n]\n') == [(2, '{"a":1}'), (3, '{"a":\n2}')]


def test_an_array_on_one_line_as_the_site_itself_exports_it(tmp_path: Path) -> None:
    assert [text for _, text in read(tmp_path / "e.json", '[{"a":1},{"a":2}]')] == ['{"a":1}', '{"a":2}']


def test_a_torn_array_gives_its_whole_elements_and_the_torn_rest(tmp_path: Path) -> None:
    assert read(tmp_path / "e.json", '[{"a":1},\n{"a":2},\n{"a":') == [(1, '{"a":1}'), (2, '{"a":2}'), (3, '{"a":')]


def test_an_empty_array_and_an_empty_file_hold_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "e.json", "[]") == []
    assert read(tmp_path / "f.json", "") == []


def test_compressed_and_plain_exports_read_the_same(tmp_path: Path) -> None:
    assert read(tmp_path / "e.jsonl.gz", gzip.compress(b'{"a":1}\n')) == [(1, '{"a":1}')]


def test_a_byte_order_mark_and_bytes_that_are_not_utf8_stop_nothing(tmp_path: Path) -> None:
    found = read(tmp_path / "e.jsonl", b'\xef\xbb\xbf{"a":1}\n{"a":"\xff"}\n')
    assert found[0] == (1, '{"a":1}')
    assert len(found) == 2


def test_a_missing_export_is_named_and_so_is_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        list(export.documents(tmp_path / "nowhere.jsonl"))
    assert caught.value.code == "EXPORT_MISSING"
    assert "settings.source" in (caught.value.hint or "")


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(b'{"a":1}\n' * 9999)[:80]], ids=["other", "cut"])
def test_a_damaged_archive_is_an_error_for_people(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read(tmp_path / "e.jsonl.gz", content)
    assert caught.value.code == "EXPORT_UNREADABLE"
