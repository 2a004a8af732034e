"""CSV, JSON and Parquet files as people send them: whole, broken, torn, huge."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflow.errors import SourceError
from dataflow.shared.ingest import ReadResult, read_csv, read_json, read_parquet

SCHEMA = pa.schema([("id", pa.int32()), ("v", pa.float64())])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "input.csv"


def lines_of(result: ReadResult) -> list[tuple[int, str | None]]:
    return [(error.line, error.column) for error in result.quarantined]


def test_a_clean_csv_is_typed_by_the_schema_and_text_elsewhere(file: Path) -> None:
    file.write_text('id,name,v\n1,"a, ""b""\nc",1.5\n2,,\n')
    result = read_csv(file, schema=SCHEMA)
    assert result.quarantined == ()
    assert result.table.schema.types == [pa.int32(), pa.string(), pa.float64()]
    assert result.table.to_pylist() == [{"id": 1, "name": 'a, "b"\nc', "v": 1.5}, {"id": 2, "name": None, "v": None}]


def test_bad_csv_rows_are_set_aside_with_line_column_and_reason(file: Path) -> None:
    file.write_text('id,name,v\n1,a,1.5\nx,b,2\n3,"c\nd",3\n\n\n4,e\n5,f,6,7\n6,"un"quoted",1\n7,ok,\n')
    result = read_csv(file, schema=SCHEMA)
    assert result.table["id"].to_pylist() == [1, 3, 7]
    assert lines_of(result) == [(3, "id"), (8, "v"), (9, None), (10, "name")]
    assert result.quarantined[0].raw == "x,b,2"
    assert '"x"' in result.quarantined[0].reason
    assert "missing columns" in result.quarantined[1].reason


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_sort_of_bad_row_has_the_line_it_begins_at(file: Path, end: str) -> None:
    good = "1,b,2026-01-02T03:04:05Z"
    rows = {
        "missing columns": "8",
        "cast": f"x,b,{good[-20:]}",
        "too many": f'1,"c{end}{end}d",{good[-20:]},5',
        "value with unterminated": f'1,"un"quoted",{good[-20:]}',
        "no timestamp": f'1,"c{end}d",garbage',
        "unicode": "1,gr\udcf6,",
    }
    text, line, expected = f"id,name,t{end}", 2, []
    for row in [*rows.values(), "", *rows.values(), f'2,"c{end}d",{good[-20:]}', *rows.values()]:
        expected += [line] if row in rows.values() else []
        text += row + end
        line += 1 + row.count(end)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    schema = pa.schema([("id", pa.int32()), ("t", pa.timestamp("us", tz="UTC"))])
    result = read_csv(file, schema=schema, encoding="utf-8")
    assert [error.line for error in result.quarantined] == expected
    for error, words in zip(result.quarantined, [*rows] * 3, strict=True):
        assert words in error.reason.lower()
    assert result.table["id"].to_pylist() == [2]


def test_what_is_no_time_with_a_zone_is_set_aside_and_not_made_null(file: Path) -> None:
    file.write_text("a,t,u\n1,2026-01-02T03:04:05+02:00,\nx,never,\n2,never,maybe\n3,,maybe\n")
    times = pa.timestamp("us", tz="UTC")
    result = read_csv(file, schema=pa.schema([("a", pa.int8()), ("t", times), ("u", times)]))
    assert [row["t"].isoformat() for row in result.table.to_pylist()] == ["2026-01-02T01:04:05+00:00"]
    assert lines_of(result) == [(3, "a"), (4, "t"), (5, "u")]
    assert result.quarantined[1].raw == "2,never,maybe"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ("1 -2 0", pa.int64()),
        ("1 2.5 .5 1e3 -0.1 nan", pa.float64()),
        ("2026-01-02 1999-12-31", pa.date32()),
        ("2026-01-02 2026-01-02T03:04 2026-01-02T03:04:05.123456", pa.timestamp("us")),
        ("2026-01-02T03:04:05Z 2026-01-02T03:04:05.5+02:00", pa.timestamp("us", tz="UTC")),
        ("true FALSE", pa.bool_()),
        ("007 1", pa.string()),
        ("12345678901234567890 1", pa.string()),
        ("1234567890123456 1.5", pa.string()),
        ("+49 1", pa.string()),
        ("0x1F 1", pa.string()),
        ("1_000 1", pa.string()),
        ("1,5 1,7", pa.string()),
        ("31.12.2026", pa.string()),
        ("2026-01-02T03:04:05.123456789", pa.string()),
        ("2026-01-02T03:04:05Z 2026-01-02T03:04:05", pa.string()),
        ("true 1", pa.string()),
    ],
)
def test_types_are_inferred_where_no_value_loses_by_it(file: Path, values: str, kind: pa.DataType) -> None:
    file.write_text("v;w\n" + "".join(f"{value};\n" for value in values.split()))
    result = read_csv(file)
    assert (result.table.schema.types, result.quarantined) == ([kind, pa.string()], ())
    assert result.table.num_rows == len(values.split())
    assert set(read_csv(file, types="text").table.schema.types) == {pa.string()}


def test_a_value_that_does_not_fit_the_inferred_type_is_set_aside(file: Path) -> None:
    zone = "2026-01-02T03:04:05Z"
    file.write_text("i,t\n" + f"1,{zone}\n" * 99 + f"n/a,{zone}\n2,never\n")
    result = read_csv(file)
    assert result.table.schema.types == [pa.int64(), pa.timestamp("us", tz="UTC")]
    assert (result.table.num_rows, lines_of(result)) == (99, [(101, "i"), (102, "t")])


def test_a_column_with_more_misfits_than_that_stays_text(file: Path) -> None:
    file.write_text("i\n" + "1\n" * 97 + "n/a\n" * 3)
    result = read_csv(file)
    assert (result.table["i"].type, result.table.num_rows, result.quarantined) == (pa.string(), 100, ())


@pytest.mark.parametrize(("late", "kind"), [("1.5", pa.float64()), ("007", pa.string()), ("1_0", pa.string())])
def test_every_value_is_looked_at_not_the_first_ones(file: Path, late: str, kind: pa.DataType) -> None:
    file.write_text("i\n" + "1\n" * 50_000 + late + "\n")
    result = read_csv(file)
    assert (result.table["i"].type, result.table.num_rows) == (kind, 50_001)


def test_columns_that_the_schema_does_not_name_stay_text(file: Path) -> None:
    file.write_text("id,v,other\n1,1,2\n")
    assert read_csv(file, schema=SCHEMA).table.schema.types[2] == pa.string()


def test_a_row_with_two_faults_is_set_aside_once(file: Path) -> None:
    file.write_text("id,v\nx,y\n")
    assert lines_of(read_csv(file, schema=SCHEMA)) == [(2, "id")]


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(file: Path) -> None:
    file.write_bytes("\ufeffid;v\r\n1;2.5\r\nx;1\r\n".encode())
    result = read_csv(file, schema=SCHEMA)
    assert (result.table.to_pylist(), lines_of(result)) == ([{"id": 1, "v": 2.5}], [(3, "id")])


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-8"])
def test_encodings_are_found_by_looking(file: Path, encoding: str) -> None:
    file.write_bytes("id,name\n1,größe\n2,Ünal\n".encode(encoding))
    result = read_csv(file)
    assert result.table["name"].to_pylist() == ["größe", "Ünal"]
    assert result.quarantined == ()


def test_gzip_files_are_unpacked_whatever_their_name_and_encoding(file: Path) -> None:
    file.write_bytes(gzip.compress("id,name\n1,größe\n2\n".encode("cp1252")))
    result = read_csv(file)
    assert (result.table["name"].to_pylist(), lines_of(result)) == (["größe"], [(3, "name")])
    file.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert read_json(file).table.to_pylist() == [{"a": 1}]


def test_a_gzip_file_cut_off_is_malformed(file: Path) -> None:
    file.write_bytes(gzip.compress(b"id\n1\n")[:-5])
    with pytest.raises(SourceError, match="damaged gzip") as caught:
        read_csv(file)
    assert caught.value.code == "FILE_MALFORMED"


def test_an_encoding_can_be_named(file: Path) -> None:
    file.write_bytes("id,name\n1,Łódź\n".encode("cp1250"))
    assert read_csv(file, encoding="cp1250").table["name"].to_pylist() == ["Łódź"]


def test_torn_bytes_in_a_utf8_file_cost_only_their_rows(file: Path) -> None:
    file.write_bytes("id,name\n1,größe\n".encode() + b"2,gr\xf6\xdfe\n3,ok\n")
    result = read_csv(file)
    assert (result.table["id"].to_pylist(), lines_of(result)) == ([1, 3], [(3, "name")])


def test_an_unknown_encoding_is_named(file: Path) -> None:
    file.write_text("a\n")
    with pytest.raises(SourceError) as caught:
        read_csv(file, encoding="klingon")
    assert (caught.value.code, "klingon" in caught.value.message) == ("ENCODING_UNKNOWN", True)


def test_a_column_of_the_schema_that_is_not_there_is_named(file: Path) -> None:
    file.write_text("id,name\n1,a\n")
    with pytest.raises(SourceError, match="no column v") as caught:
        read_csv(file, schema=SCHEMA)
    assert caught.value.code == "SCHEMA_MISMATCH"


def test_an_empty_csv_has_no_rows(file: Path) -> None:
    file.write_text("")
    assert read_csv(file, schema=SCHEMA).table.num_rows == 0


def test_a_csv_without_header_takes_the_names_given(file: Path) -> None:
    file.write_text("1,2\n3,4\n")
    assert read_csv(file, columns=["a", "b"]).table.to_pylist() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


def test_doubled_and_empty_column_names_become_different_ones(file: Path) -> None:
    file.write_text('a,A,,"q""x"\n1,2,3,4\n')
    assert read_csv(file).table.column_names == ["a", "A_2", "column3", 'q"x']


# VmHWM, not ru_maxrss: that one also counts what the parent had at the fork.
READ_IN_CHILD = """
import sys
sys.path.insert(0, {root!r})
from dataflow.shared.ingest import read_csv, read_json
result = {reader}({path!r})
print(result.table.num_rows, [error.line for error in result.quarantined], max(len(e.raw) for e in result.quarantined))
print(next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("reader", ["read_csv", "read_json"])
def test_a_line_of_100_megabytes_is_a_row_error_in_bounded_memory(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "huge"
    good, start, end = (b'{"a": 1}\n', b'{"a": "', b'"}\n') if reader == "read_json" else (b"1,x\n", b"2,", b"\n")
    with path.open("wb") as out:
        out.write((b"" if reader == "read_json" else b"id,name\n") + good + start)
        for _ in range(100):
            out.write(b"y" * (1 << 20))
        out.write(end + good)
    code = READ_IN_CHILD.format(root=str(Path(__file__).parents[3]), reader=reader, path=str(path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    summary, memory = done.stdout.splitlines()
    assert summary == f"2 [{2 if reader == 'read_json' else 3}] 200"
    assert int(memory) < 300


def test_a_json_array_becomes_a_table_with_every_key(file: Path) -> None:
    file.write_text(json.dumps([{"a": 1}, {"a": 2, "b": [1, 2]}]))
    result = read_json(file)
    assert result.table.to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": [1, 2]}]
    assert result.quarantined == ()


def test_json_lines_with_a_bad_line_keep_the_others(file: Path) -> None:
    file.write_text('{"a": 1}\n{"a": \n\n[1]\n{"a": 2}\n')
    result = read_json(file)
    assert result.table["a"].to_pylist() == [1, 2]
    assert lines_of(result) == [(2, None), (4, None)]


def test_a_json_array_that_breaks_off_keeps_what_came_before(file: Path) -> None:
    file.write_text('[\n{"a": 1},\n7,\n{"a": 2},\n{"a": ')
    result = read_json(file)
    assert result.table["a"].to_pylist() == [1, 2]
    assert lines_of(result) == [(3, None), (5, None)]
    assert "breaks off" in result.quarantined[1].reason


def test_json_values_that_do_not_fit_the_schema_are_set_aside(file: Path) -> None:
    rows = [{"id": 1, "v": 1.5}, {"id": "x", "v": 2}, {"id": 2**40, "v": 1}, {"id": 3, "extra": 1}]
    file.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]")
    result = read_json(file, schema=SCHEMA)
    assert result.table.to_pylist() == [{"id": 1, "v": 1.5}, {"id": 3, "v": None}]
    assert lines_of(result) == [(3, "id"), (4, "id")]


def test_times_in_json_are_read_from_their_text(file: Path) -> None:
    file.write_text('{"t": "2026-01-02T03:04:05Z"}\n{"t": "yesterday"}\n')
    result = read_json(file, schema=pa.schema([("t", pa.timestamp("us", tz="UTC"))]))
    assert (result.table.num_rows, lines_of(result)) == (1, [(2, "t")])


def test_a_json_column_of_two_sorts_keeps_the_first(file: Path) -> None:
    file.write_text('{"a": 1}\n{"a": 1.5}\n{"a": "x"}\n')
    result = read_json(file)
    assert (result.table["a"].to_pylist(), lines_of(result)) == ([1.0, 1.5], [(3, "a")])


def test_a_web_page_is_not_json(file: Path) -> None:
    file.write_text("<html></html>")
    with pytest.raises(SourceError, match="web page") as caught:
        read_json(file)
    assert caught.value.code == "FILE_MALFORMED"


@pytest.mark.parametrize("reader", [read_csv, read_json, read_parquet])
def test_a_missing_file_is_named(reader: object, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        reader(tmp_path / "nowhere")  # type: ignore[operator]
    assert (caught.value.code, "nowhere" in caught.value.message) == ("FILE_MISSING", True)


@pytest.mark.parametrize("reader", [read_csv, read_json, read_parquet])
def test_a_folder_is_not_a_file(reader: object, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        reader(tmp_path)  # type: ignore[operator]
    assert caught.value.code == "FILE_UNREADABLE"


def test_parquet_comes_back_as_written_and_as_cast(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int64()), "v": [1, 2]}), tmp_path / "t.parquet")
    assert read_parquet(tmp_path / "t.parquet").table["id"].type == pa.int64()
    assert read_parquet(tmp_path / "t.parquet", schema=SCHEMA).table.schema.equals(SCHEMA)


def test_parquet_cut_off_is_malformed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SourceError) as caught:
        read_parquet(path)
    assert caught.value.code == "FILE_MALFORMED"
