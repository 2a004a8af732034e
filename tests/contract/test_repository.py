"""What is committed holds nothing of one machine, and starts fast."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.conftest import ROOT

# In pieces, so that this file is not what it looks for.
MACHINE = re.compile(r"/(?:work|home|Users|root)/" + r"[\w.-]+|/tmp/" + r"(?:lab|docs)")
PRIVATE = re.compile(
    r"https?://(?:[^/\s\"'@]*@)?(?:10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+"
    r"|[\w.-]+\.(?:internal|local|corp|lan|intranet))\b"
)
INDEX = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host")


def tracked() -> list[Path]:
    """Every file that git knows and that is here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "constraints.txt"])
def test_locks_hold_no_address(name: str) -> None:
    assert INDEX.findall((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(r"^([\w.\[\]-]+==[^\s]+)(.*?)(?=^[\w]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) > 30
    assert [pin for pin, rest in pins if "--hash=sha256:" not in rest] == []


def test_no_committed_file_tells_of_a_machine_or_a_private_host() -> None:
    found: list[str] = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if MACHINE.search(line) or PRIVATE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_names_for_completion_import_neither_pydantic_nor_yaml() -> None:
    code = "import sys, dataflow.config.names; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded & {"pydantic", "ruamel", "typer", "rich", "dagster", "duckdb", "dotenv", "tree_sitter"} == set()
    assert {name for name in done.stdout.split() if name.startswith("dataflow.")} <= {
        "dataflow.config",
        "dataflow.config.assets",
        "dataflow.config.names",
        "dataflow.config.paths",
        "dataflow.errors",
    }
