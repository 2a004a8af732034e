"""Backups on disk: manifests and sealed secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dataflow.errors import OperationFailedError, UsageError
from dataflow.operations import backup_format
from dataflow.operations.backup_format import Backup, part_of, read, seal, unseal, write


@pytest.fixture
def backup(tmp_path: Path) -> Backup:
    file = tmp_path / "warehouse.duckdb"
    file.write_bytes(b"data")
    made = Backup(
        id=tmp_path.name,
        path=tmp_path,
        created=datetime(2026, 11, 24, tzinfo=UTC),
        reason="asked for",
        project="shop",
        engine="native",
        version="1",
        secrets="left out",
        parts=(part_of("warehouse", file, {"tables": 3}),),
        pins={"package duckdb": "1.5"},
    )
    write(made)
    return made


def test_a_manifest_is_read_back(backup: Backup) -> None:
    assert read(backup.path) == backup
    part = backup.part("warehouse")
    assert part is not None
    assert (part.bytes, part.sha256[:8]) == (4, "3a6eb079")  # sha256 of b"data"
    assert backup.part("objects") is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 1}', "no json", '{"format": 1, "created": 5, "parts": []}']
)
def test_a_manifest_that_cannot_be_read_is_damage(backup: Backup, text: str) -> None:
    (backup.path / "manifest.json").write_text(text)
    with pytest.raises(OperationFailedError) as caught:
        read(backup.path)
    assert caught.value.code == "BACKUP_DAMAGED"


def test_a_later_format_is_refused(backup: Backup) -> None:
    manifest = backup.path / backup_format.MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(OperationFailedError, match="has the format 2"):
        read(backup.path)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path)
    assert caught.value.code == "BACKUP_UNKNOWN"


def test_secrets_open_with_their_passphrase_only_and_not_when_changed() -> None:
    sealed = seal("PASSWORD=ü", "right")
    assert b"PASSWORD" not in sealed
    assert unseal(sealed, "right") == "PASSWORD=ü"
    assert seal("PASSWORD=ü", "right") != sealed
    for data, passphrase in ((sealed, "wrong"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), "right"), (b"", "right")):
        with pytest.raises(UsageError) as caught:
            unseal(data, passphrase)
        assert caught.value.code == "PASSPHRASE_WRONG"
