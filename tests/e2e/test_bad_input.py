"""What users get wrong and what breaks under them: the documented codes, a cure, no traceback, nothing lost.

Port, disk and state files are in test_engine.py; workflows, secrets and runs in test_runs.py; configuration in
tests/cli/test_config_commands.py; HTTP sources and readers in tests/unit/shared.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.conftest import Project

DAILY = "select count(*) from marts.nightscout_daily"


@pytest.mark.parametrize(
    ("sql", "code", "exit_code", "words"),
    [
        ("selekt 1", "WAREHOUSE_SQL", 1, "selekt"),
        ("select nope from marts.nightscout_daily", "WAREHOUSE_SQL", 1, "nope"),
        ("from nowhere", "WAREHOUSE_SQL", 1, "nowhere"),
        ("from described", "WAREHOUSE_SQL", 1, "described"),  # a variable of ours where the SQL is run
        ("create table x as select 1", "WAREHOUSE_READ_ONLY", 1, "--write"),
        ("", "SQL_EMPTY", 2, "no statement"),
        ("/* nothing but a comment */", "SQL_EMPTY", 2, "no statement"),
        ("select 1; select 2", "SQL_MANY", 2, "2 statements"),
    ],
)
def test_wrong_sql_is_an_error_with_duckdbs_words(
    platform: Project, sql: str, code: str, exit_code: int, words: str
) -> None:
    called = platform.call("data", "query", sql, "--json")
    assert (called.error["code"], called.code) == (code, exit_code)
    assert words in called.error["message"] + (called.error["hint"] or "")


def test_a_corrupt_warehouse_is_named_and_left_alone(platform: Project, tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"this is not a database" * 1000)
    before = broken.read_bytes()
    for arguments in (
        ["data", "query", "select 1"],
        ["data", "tables"],
        ["data", "query", "create table x as select 1", "--write"],
    ):
        called = platform.call(*arguments, "--json", DATAFLOW_WAREHOUSE_PATH=str(broken))
        assert (called.code, called.error["code"]) == (1, "WAREHOUSE_CORRUPT"), called.out
    assert broken.read_bytes() == before
    assert platform.call("status", "--json", DATAFLOW_WAREHOUSE_PATH=str(broken)).code == 0


def test_a_warehouse_that_is_not_there_yet_is_said_so(platform: Project, tmp_path: Path) -> None:
    env = {"DATAFLOW_WAREHOUSE_PATH": str(tmp_path / "none.duckdb")}
    assert "empty" in platform.call("data", "tables", **env).out
    called = platform.call("data", "query", "select 1", "--json", **env)
    assert (called.code, called.error["code"]) == (1, "WAREHOUSE_MISSING")
    assert not (tmp_path / "none.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "env", "code", "exit_code"),
    [
        (["storage", "ls"], {"DATAFLOW_S3_SECRET_KEY": "wrong"}, "STORE_CREDENTIALS", 1),
        (["storage", "ls"], {"DATAFLOW_S3_ACCESS_KEY": "nobody"}, "STORE_CREDENTIALS", 1),
        (["storage", "ls", "no-such-bucket/"], {}, "BUCKET_MISSING", 1),
        (["storage", "get", "lake/no/such/key", "x"], {}, "OBJECT_MISSING", 1),
        (["storage", "get", "lake", "x"], {}, "PLACE_INVALID", 2),
        (["storage", "put", "no-such-file", "lake/"], {}, "FILE_MISSING", 2),
        (["data", "ingest", "no-such-file.csv", "--into", "a.b"], {}, "FILE_MISSING", 2),
        (["data", "ingest", "dataflow.toml", "--into", "a.b"], {}, "FORMAT_UNKNOWN", 2),
        (["data", "export", "marts.nightscout_daily", "x.docx"], {}, "FORMAT_UNKNOWN", 2),
        (["data", "export", "marts.nope", "x.csv"], {}, "WAREHOUSE_SQL", 1),
    ],
)
def test_the_store_and_files_refuse_with_a_code(
    platform: Project, arguments: list[str], env: dict[str, str], code: str, exit_code: int
) -> None:
    called = platform.call(*arguments, "--json", **env)
    assert (called.error["code"], called.code) == (code, exit_code), called.out
    assert not (platform.root / "x.csv").exists()


def test_without_a_store_the_cure_is_to_start_it(project: Project) -> None:
    called = project.call("storage", "ls", "--json")
    assert (called.code, called.error["code"]) == (5, "SERVICE_DOWN")
    assert called.error["actions"][0]["command"] == "dataflow start object-store"


def test_bad_rows_of_a_file_are_counted_with_their_lines_and_good_ones_are_kept(platform: Project) -> None:
    text = "id,amount\n1,10\n2,not a number\n3,30\n4,40,extra\n5,50\n"
    (platform.root / "rows.csv.gz").write_bytes(gzip.compress(text.encode()))
    called = platform.call("data", "ingest", "rows.csv.gz", "--into", "scratch.rows", "--mode", "replace", "--json")
    assert called.code == 0, called.out
    assert called.data["inserted"] + called.data["quarantined"] == 5
    assert called.data["quarantined"] >= 1
    assert any("line" in reason for reason in called.data["reasons"])


def test_bytes_that_are_not_utf8_do_not_stop_the_file(platform: Project) -> None:
    (platform.root / "latin.csv").write_bytes("id,name\n1,Zoë\n2,Zoe\n".encode("latin-1"))
    called = platform.call("data", "ingest", "latin.csv", "--into", "scratch.latin", "--mode", "replace", "--json")
    assert called.code == 0, called.out
    assert called.data["inserted"] + called.data["quarantined"] == 2
    assert called.data["inserted"] >= 1


def test_a_line_of_a_hundred_megabytes_is_one_bad_row(platform: Project) -> None:
    with (platform.root / "long.csv").open("wb") as file:
        file.write(b"id,name\n1,a\n2,")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n3,c\n")
    try:
        called = platform.call("data", "ingest", "long.csv", "--into", "scratch.long", "--mode", "replace", "--json")
        assert called.code == 0, called.out[:2000]
        assert (called.data["inserted"], called.data["quarantined"]) == (2, 1)
    finally:
        (platform.root / "long.csv").unlink()


def test_upsert_without_a_key_is_refused_and_with_one_adds_nothing_twice(platform: Project) -> None:
    (platform.root / "keyed.csv").write_text("id,name\n1,a\n2,b\n")
    refused = platform.call("data", "ingest", "keyed.csv", "--into", "scratch.keyed", "--mode", "upsert", "--json")
    assert (refused.code, refused.error["code"]) == (2, "KEY_MISSING")
    for inserted in (2, 0):
        arguments = ["data", "ingest", "keyed.csv", "--into", "scratch.keyed", "--mode", "upsert", "--key", "id"]
        assert platform.call(*arguments, "--json").data["inserted"] == inserted


def test_a_removal_takes_only_what_it_named(platform: Project) -> None:
    (platform.root / "small.txt").write_text("x")
    for place in ("scratch/a/1", "scratch/a/2", "scratch/b/1"):
        assert platform.call("storage", "put", "small.txt", place).code == 0
    assert platform.call("storage", "rm", "scratch/a/", "--recursive", "--yes", "--json").data["places"] == [
        "scratch/a/1",
        "scratch/a/2",
    ]
    assert [item["place"] for item in platform.call("storage", "ls", "scratch/b", "--json").data["objects"]] == [
        "scratch/b/1"
    ]


def test_the_output_of_a_query_can_be_csv_or_a_file(platform: Project) -> None:
    csv = platform.call("data", "query", "select 1 as a, 'x,y' as b", "--csv").out
    assert csv.splitlines() == ["a,b", '1,"x,y"']
    for name in ("q.parquet", "q.csv", "q.json", "q.jsonl"):
        (platform.root / name).unlink(missing_ok=True)
        called = platform.call("data", "query", DAILY, "--output", name, "--json")
        assert (called.data["rows"], called.data["bytes"] > 0) == (1, True)
        again = platform.call("data", "query", DAILY, "--output", name, "--json")
        assert (again.code, again.error["code"]) == (2, "FILE_EXISTS")


def test_a_query_is_cut_at_its_limit_and_says_so(platform: Project) -> None:
    called = platform.call("data", "query", "from range(1000)", "--limit", "3", "--json")
    assert (called.data["rows"], called.data["truncated"]) == ([[0], [1], [2]], True)
    assert "--limit" in platform.call("data", "query", "from range(1000)", "--limit", "3").out


def test_sql_comes_from_stdin_too(platform: Project) -> None:
    assert platform.call("data", "query", "-", "--json", stdin="select 7").data["rows"] == [[7]]
