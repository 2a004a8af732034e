"""The .env file: what is the user's stays, and Compose reads back what was written."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from dataflow.config import dotenv
from dataflow.system.process import find_program


def test_the_block_for_plain_compose_is_replaced_and_no_setting(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("MINE=1")
    dotenv.write_block(path, {"DATAFLOW_HTTP_PORT": "3000"})
    dotenv.write_block(path, {"DATAFLOW_HTTP_PORT": "3001"})
    text = path.read_text()
    assert text.startswith("MINE=1\n# >>>")
    assert text.count("DATAFLOW_HTTP_PORT") == 1
    assert "3001" in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert dotenv.load(path).values == {"MINE": "1"}


def test_lines_after_the_block_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    dotenv.write_block(path, {"A": "1", "B": "2"})
    path.write_text(path.read_text() + "MINE=1\n")
    assert dotenv.load(path).lines == {"MINE": 5}


VALUES = ["plain", "", "two words", "#no comment", "it's", 'say "hi"', "$HOME", 'it\'s $5 \\ "x"', "a\nb'c", "ü=1"]


@pytest.mark.parametrize("value", VALUES)
def test_our_own_reader_gets_back_what_was_quoted(value: str) -> None:
    assert dotenv.parse(f"NAME={dotenv.quoted(value)}\n").values["NAME"].replace("\\$", "$") == value


@pytest.mark.skipif(find_program("docker") is None, reason="needs `docker compose`")
def test_compose_gets_back_what_was_quoted(tmp_path: Path) -> None:
    """The real reader of the block: `docker compose config` needs no engine."""
    (tmp_path / ".env").write_text("".join(f"V{n}={dotenv.quoted(value)}\n" for n, value in enumerate(VALUES)))
    lines = "".join(f"      V{n}: ${{V{n}}}\n" for n in range(len(VALUES)))
    (tmp_path / "compose.yaml").write_text(f"services:\n  a:\n    image: x\n    environment:\n{lines}")
    import yaml

    done = subprocess.run(["docker", "compose", "config"], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = yaml.safe_load(done.stdout)["services"]["a"]["environment"]
    assert [found[f"V{n}"].replace("$$", "$") for n in range(len(VALUES))] == VALUES
