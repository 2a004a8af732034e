"""The guide for authors: its commands run as they stand on the page, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project
from tests.e2e.conftest import mine

pytestmark = pytest.mark.e2e

FENCE = re.compile(r"^(`{3,})console\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def script(page: str) -> str:
    """The commands of a page; lines that begin with `>` go on with the command before."""
    lines = [line for _, block in FENCE.findall(page) for line in block.splitlines()]
    return "\n".join(line[2:] for line in lines if line.startswith(("$", ">"))) + "\n"


def test_the_commands_of_the_guide_lead_to_a_dashboard(tmp_path: Path) -> None:
    commands = script((ROOT / "docs" / "authoring.md").read_text())
    assert commands.count("dataflow ") >= 18
    env = {**os.environ, "DATAFLOW_ENGINE": "native", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    shop = Project(tmp_path / "shop")
    try:
        ran = subprocess.run(
            ["bash", "-euxo", "pipefail"],
            input=commands, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-3000:]
    finally:
        if shop.root.exists():
            shop.call("down")
    assert "   6  cast: the value is no timestamp with time zone" in ran.stdout
    report = (shop.root / ".dataflow/reports/orders.html").read_text()
    assert "Amount by customer" in report
    assert "Ada" in report
    assert "shop: 6 steps passed" in ran.stdout
    assert mine(shop) == {}
