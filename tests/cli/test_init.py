from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from tests.conftest import Project


def test_init_makes_a_project_that_validates(tmp_path: Path) -> None:
    called = Project(tmp_path).call("init", "my-platform", "--json")
    assert called.code == 0, called.err
    assert called.data["name"] == "my-platform"
    assert {"dataflow.toml", ".gitignore", ".env.example", ".env"} <= set(called.data["files"])
    made = Project(tmp_path / "my-platform")
    checked = made.call("config", "validate")
    assert checked.code == 0, checked.out
    assert "workflows/nightscout" in checked.out


def test_the_secrets_it_makes_are_random_private_and_ignored_by_git(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Project(tmp_path).call("init", name, "--no-example")
    one, two = ((tmp_path / name / ".env").read_text() for name in ("a", "b"))
    assert one != two
    assert stat.S_IMODE((tmp_path / "a" / ".env").stat().st_mode) == 0o600
    subprocess.run(["git", "init", "-q", tmp_path / "a"], check=True)
    ignored = subprocess.run(["git", "check-ignore", ".env", ".dataflow/x"], cwd=tmp_path / "a", capture_output=True)
    assert ignored.stdout.split() == [b".env", b".dataflow/x"]


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    here = Project(tmp_path)
    here.write("p/.gitignore", "mine\n")
    here.write("p/.env", "DATAFLOW_S3_ACCESS_KEY=mine\n")
    assert here.call("init", "p", "--no-example").code == 0
    assert (tmp_path / "p" / ".gitignore").read_text() == "mine\n"
    assert (tmp_path / "p" / ".env").read_text().startswith("DATAFLOW_S3_ACCESS_KEY=mine\n")
    again = here.call("init", "p", "--json")
    assert (again.code, again.error["code"]) == (2, "PROJECT_EXISTS")


def test_init_in_a_read_only_folder_is_a_clear_error(tmp_path: Path) -> None:
    called = Project(tmp_path).call("init", "/proc/nowhere", "--json")
    assert called.code == 1
    assert called.error["code"] in {"NOT_WRITABLE", "FILE_FAILED"}


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    called = Project(tmp_path).call("init", "p", "--name", "No Good", "--json")
    assert (called.code, called.error["code"]) == (2, "NAME_ILLEGAL")
