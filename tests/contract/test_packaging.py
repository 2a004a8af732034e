"""What people install holds what the checkout holds: built from the sdist, out of a clean copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.contract.conftest import ROOT
from tests.contract.test_repository import tracked


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without a network: the build backend is among the development requirements."""
    copy = tmp_path_factory.mktemp("clean") / "checkout"
    for path in tracked():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    out = copy.parent / "dist"
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


@pytest.mark.parametrize("folder", ["compose", "workflows"])
def test_the_wheel_bundles_exactly_what_git_knows(wheel: zipfile.ZipFile, folder: str) -> None:
    prefix = "dataflow/_bundled/"
    bundled = {name.removeprefix(prefix) for name in wheel.namelist() if name.startswith(f"{prefix}{folder}/")}
    assert bundled == {str(path.relative_to(ROOT)) for path in tracked() if ROOT / folder in path.parents}


def test_the_wheel_has_every_module_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if "/_bundled/" not in name and ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for path in tracked() if ROOT / "dataflow" in path.parents}
    modules |= {str(path.relative_to(ROOT / "tui")) for path in tracked() if ROOT / "tui" in path.parents}
    assert names == modules


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    from dataflow import __version__

    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    headers = HeaderParser().parsestr(wheel.read(name).decode())
    assert (headers["Name"], headers["Version"]) == ("dataflow-toolkit", __version__)
    assert headers["License-Expression"] == "MIT"
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))
    assert "dataflow = dataflow.cli.__main__:main" in wheel.read(name).decode()


def test_a_project_made_by_the_wheel_validates(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    wheel.extractall(site)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "dataflow", *arguments]
        env = {"PYTHONPATH": str(site), "PATH": os.environ["PATH"]}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)

    where = "from dataflow.config import assets; print(assets.path('compose'))"
    found = subprocess.run([sys.executable, "-P", "-c", where], env={"PYTHONPATH": str(site)}, capture_output=True)
    assert found.stdout.decode().strip() == str(site / "dataflow" / "_bundled" / "compose")
    assert call("init", "made").returncode == 0
    checked = call("--project-dir", "made", "config", "validate")
    assert (checked.returncode, checked.stdout) == (0, "All good: dataflow.toml, .env, workflows/nightscout.\n")
