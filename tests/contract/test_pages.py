"""What the documents tell people to type works, and what they point at exists."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project
from tests.contract.conftest import PAGES, ROOT, Shown, fences, parse, shown

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
INLINE = re.compile(r"`(dataflow [a-z-][^`]*)`")
PLACEHOLDER = re.compile(r"…|\bCOMMAND\b(?! \[)")
SHELL = {"|", "<", ">", "&&", ";"}


def words_of(line: str) -> list[str]:
    """The words after the program, up to a pipe or a redirection."""
    words = shlex.split(line)[1:]
    end = next((index for index, word in enumerate(words) if word in SHELL), len(words))
    return words[:end]


@pytest.mark.parametrize("found", list(shown("dataflow")), ids=str)
def test_commands_in_pages_parse(found: Shown) -> None:
    parse(words_of(found.line))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_sentences_parse(page: Path) -> None:
    for text in INLINE.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)):
        if not PLACEHOLDER.search(text):
            parse(words_of(text), complete=False)


def test_commands_in_workflows_of_actions_parse() -> None:
    texts = [block for page in PAGES for block in fences(page, "yaml")]
    texts += [path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    texts.append((ROOT / "tests" / "wheel_smoke.sh").read_text())
    lines = [line for text in texts for line in re.findall(r"(?:- run: |^ *)(dataflow [a-z].*)$", text, re.MULTILINE)]
    assert len(lines) > 5
    for line in lines:
        parse(words_of(line))


def test_make_targets_in_pages_exist() -> None:
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"`make ([a-z]+)", page.read_text())}
    named |= {word for found in shown("make") for word in found.line.split()[1:2] if word.isalpha()}
    named |= set(re.findall(r"run: make ([a-z ]+)", (ROOT / ".github/workflows/ci.yml").read_text()))
    assert {target for targets in named for target in targets.split()} - there == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_exist(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as MkDocs and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if ROOT / "docs" in page.parents}
    assert {page for page in pages if f": {page}\n" not in navigation} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_of_code_are_well_formed(page: Path) -> None:
    from ruamel.yaml import YAML

    for block in fences(page, "python"):
        ast.parse(block)
    for block in fences(page, "json"):
        json.loads(block)
    for block in fences(page, "toml"):
        tomllib.loads(block)
    for block in fences(page, "yaml"):
        YAML(typ="safe", pure=True).load(block)


def test_the_workflow_written_by_hand_loads_and_runs_as_the_page_says(project: Project) -> None:
    page = ROOT / "docs" / "how-to" / "workflow.md"
    folder = "workflows/earthquakes"
    project.write(f"{folder}/config.yaml", fences(page, "yaml")[0])
    project.write(f"{folder}/dagster_job.py", fences(page, "python")[0])
    project.write(f"{folder}/events.csv", fences(page, "text")[0])
    (found,) = project.call("workflow", "list", "--json").data["workflows"]
    assert (found["name"], found["assets"]) == ("earthquakes", ["strong_events"])
    ran = project.call("workflow", "run", "earthquakes", "--set", "smallest=3")
    assert ran.code == 0, ran.err
    assert "line 5 left out" in ran.err
    rows = project.call("data", "query", "select place from earthquakes.strong_events order by time", "--csv")
    assert rows.out.split("\n")[1:4] == ["Off the coast of Chile", "Iceland", "Honshu"]


def test_the_example_service_is_valid(project: Project) -> None:
    (block,) = fences(ROOT / "docs" / "reference" / "services.md", "yaml")
    project.write("compose/services/metabase/compose.yaml", block)
    called = project.call("up", "metabase", "--dry-run", "--json")
    assert called.code == 0, called.out
    assert [action["service"] for action in called.data["actions"]] == ["metabase"]


def test_the_settings_of_the_pages_are_settings(project: Project) -> None:
    for page in PAGES:
        for block in fences(page, "toml"):
            project.write("dataflow.toml", block)
            assert project.call("config", "validate").code == 0, page


def test_the_site_builds_and_asks_nobody_else_for_anything(tmp_path: Path) -> None:
    import sys

    site = tmp_path / "site"
    # Not --quiet: it hides warnings from --strict, too.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (site / "reference" / "errors" / "index.html").is_file()
    assert not (site / "__pycache__").exists()
    loaded: set[Any] = set()
    for page in site.rglob("*.html"):
        loaded |= set(re.findall(r'<(?:script|img)[^>]*\ssrc="(https?:[^"]+)"', page.read_text()))
        loaded |= set(
            re.findall(r'<link[^>]*rel="(?:stylesheet|preconnect)"[^>]*href="(https?:[^"]+)"', page.read_text())
        )
    assert loaded == set()
