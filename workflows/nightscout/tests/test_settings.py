"""config.yaml: the shipped one is valid, and a mistake is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.errors import ConfigurationError
from dataflow.workflows.manifest import load_manifest
from workflows.nightscout.settings import ApiSource, FileSource, Settings
from workflows.nightscout.tests.conftest import FOLDER


def with_settings(folder: Path, text: str) -> Settings:
    (folder / "config.yaml").write_text("version: 1\nsettings:\n" + text)
    return load_manifest(folder, Settings).settings


def test_the_shipped_configuration_reads_the_sample() -> None:
    manifest = load_manifest(FOLDER, Settings)
    assert isinstance(manifest.settings.source, FileSource)
    assert (FOLDER / manifest.settings.source.entries).is_file()
    assert {name: spec.default for name, spec in manifest.parameters.items()} == {
        "full": False,
        "history_days": 0,
        "reload": False,
    }


def test_a_site_needs_its_address_only(tmp_path: Path) -> None:
    settings = with_settings(tmp_path, "  source:\n    kind: api\n    url: https://ns.example.org\n")
    assert isinstance(settings.source, ApiSource)
    assert settings.source.auth == "token"


@pytest.mark.parametrize(
    ("text", "line", "says"),  # a line of None: somewhere in the file
    [
        ("  source: {kind: file, entries: e.json}\n  timezone: Europe/Berlni\n", 4, "time zone"),
        ("  source: {kind: file, entries: e.json}\n  reading_minutes: 7\n", 4, "reading_minutes"),
        ("  source: {kind: file, entries: e.json}\n  time_zone: UTC\n", 4, "time_zone"),
        ("  source: {kind: ftp}\n", 3, "source"),
        ("  source:\n    kind: api\n    url: not an address\n", None, "url"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_settings(tmp_path, text)
    assert says in caught.value.message
    assert caught.value.place is not None
    assert line in {caught.value.place.line, None}
