"""The generated pages are those that the code would write now, and people have explained every code in them."""

from __future__ import annotations

import re
from types import ModuleType

from tests.contract.conftest import ROOT


def test_the_reference_pages_are_current(generate: ModuleType) -> None:
    stale = [path.name for path, text in generate.pages().items() if path.read_text() != text]
    assert stale == [], "run `python docs/generate.py`"


def test_every_error_code_is_explained_and_none_that_is_gone(generate: ModuleType) -> None:
    written = generate.words()["codes"]
    assert set(generate.error_codes()) == set(written)
    for code, words in written.items():
        assert set(words) == {"means", "do"}, code
        assert all(text.endswith(".") for text in words.values()), code


def test_error_codes_are_found_however_they_are_passed(generate: ModuleType) -> None:
    found = generate.error_codes()
    assert found["NO_PROJECT"] == {5}  # code="…"
    assert found["SERVICE_CRASHED"] == {6}  # through a parameter
    assert found["WAREHOUSE_CORRUPT"] == {1}  # from a table
    assert found["POSTGRES_MISSING"] == {1}  # from a condition
    assert found["SOURCE_RATE_LIMITED"] == {1}  # through a subclass
    assert found["CHECKS_FAILED"] == {8}  # a default


def test_every_finding_rule_is_explained(generate: ModuleType) -> None:
    rules: set[str] = set()
    for path in (ROOT / "dataflow").rglob("*.py"):
        text = path.read_text()
        rules |= set(re.findall(r'(?:[Ff]inding|_told)\(\s*"([a-z-]+)"', text))
        rules |= {rule for pair in re.findall(r'_told\("([a-z-]+)" if .* else "([a-z-]+)"', text) for rule in pair}
        rules |= set(re.findall(r'rule = "([a-z-]+)" if .* else "[a-z-]+"', text))
        rules |= set(re.findall(r'rule = "[a-z-]+" if .* else "([a-z-]+)"', text))
    assert rules == set(generate.words()["findings"]["rules"])


def test_the_library_page_names_everything_public() -> None:
    import importlib

    page = (ROOT / "docs" / "reference" / "library.md").read_text()
    for name in ("db", "minio", "ingest", "transform", "logging"):
        for public in importlib.import_module(f"dataflow.shared.{name}").__all__:
            assert re.search(rf"`\.?{public}\b|, `{public}\b", page) or f"`{public}" in page, f"{name}.{public}"
    for name in ("publish", "current", "Published", "Snapshot"):
        assert f"`{name}(" in page, name


def test_the_manifest_page_names_every_key() -> None:
    from dataflow.workflows.manifest import Manifest, ParameterSpec, SecretSpec

    page = (ROOT / "docs" / "reference" / "manifest.md").read_text()
    keys = [*Manifest.model_fields, *(f"secrets[].{name}" for name in SecretSpec.model_fields)]
    keys += [f"parameters.NAME.{name}" for name in ParameterSpec.model_fields]
    assert [key for key in keys if f"| `{key}` |" not in page] == []


def test_the_exit_code_tables_have_every_code() -> None:
    from dataflow.cli.exit_codes import ExitCode

    for page in ("README.md", "docs/reference/json.md"):
        text = (ROOT / page).read_text()
        assert [code.name for code in ExitCode if not re.search(rf"\| {code.value} \|", text)] == [], page


def test_env_example_and_devcontainer_name_only_what_there_is() -> None:
    from dataflow.config.settings import VARIABLES, leaves, variable_of

    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^# (DATAFLOW_\w+)=", text, re.MULTILINE))
    settings = {variable_of(key) for key in leaves() if key != "services"}
    assert {name for name in named if not name.startswith("DATAFLOW_SERVICES_")} == settings | set(VARIABLES)
