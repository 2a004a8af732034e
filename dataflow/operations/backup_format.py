"""A backup on disk: one folder with a manifest, and a file for each part with its checksum.

.dataflow/backups/<id>/
    manifest.json          what, when, of which engine and version; size and sha256 of each file; counts and digests
    warehouse.duckdb       the warehouse, whole
    objects.tar            every object, and an index with keys, types and metadata
    history.jsonl.gz       Dagster's runs and events, in a form that is neither SQLite's nor Postgres's
    files.tar              logs of runs, step outputs
    databases.tar          other Postgres databases (docker engine)
    configuration.tar      dataflow.toml, overrides, the project's own services
    secrets.bin            .env, encrypted; only where a passphrase was given
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dataflow.errors import OperationFailedError, UsageError
from dataflow.models import EngineName
from dataflow.system.files import mapped_os_errors, write_json

FORMAT = 1
MANIFEST = "manifest.json"
PartName = Literal["warehouse", "objects", "history", "files", "databases", "configuration", "secrets"]
_CHUNK = 1 << 20
# scrypt's cost as its author recommends for files (2009), and its memory: 128 * N * r = 32 MB.
_SCRYPT = {"N": 2**15, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup. `facts` are what it holds: counts, and a digest that does not depend on the engine."""

    name: PartName
    file: str
    bytes: int
    sha256: str
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup. `pins`: images and packages that were in use. `secrets`: whether credentials are in it."""

    id: str
    path: Path
    created: datetime
    reason: str
    project: str
    engine: EngineName
    version: str
    secrets: Literal["left out", "encrypted"]
    parts: tuple[Part, ...]
    pins: dict[str, str]

    @property
    def bytes(self) -> int:
        """Of all parts."""
        return sum(part.bytes for part in self.parts)

    def part(self, name: PartName) -> Part | None:
        """A part, where the backup has it."""
        return next((part for part in self.parts if part.name == name), None)


def part_of(name: PartName, path: Path, facts: dict[str, Any]) -> Part:
    """A finished file as a part."""
    with mapped_os_errors(path):
        return Part(name, path.name, path.stat().st_size, sha256_of_file(path), facts)


def sha256_of_file(path: Path) -> str:
    """The checksum of a file, read in pieces."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def write(backup: Backup) -> None:
    """Write the manifest."""
    write_json(backup.path / MANIFEST, {"format": FORMAT, **asdict(backup), "path": None}, mode=0o600)


def read(folder: Path) -> Backup:
    """The backup in a folder. Raises UsageError BACKUP_UNKNOWN, OperationFailedError BACKUP_DAMAGED."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise UsageError(f"There is no backup in {folder}.", code="BACKUP_UNKNOWN")
    try:
        data: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        known = data.pop("format")
        data |= {
            "path": folder,
            "created": datetime.fromisoformat(data["created"]),
            "parts": tuple(Part(**part) for part in data["parts"]),
        }
        found = Backup(**data)
    except (ValueError, KeyError, TypeError) as error:
        message = f"The manifest of the backup in {folder} cannot be read."
        raise OperationFailedError(message, code="BACKUP_DAMAGED", hint=str(error)) from error
    if known != FORMAT:
        message = f"The backup {found.id} has the format {known}; this version reads {FORMAT}."
        raise OperationFailedError(message, code="BACKUP_DAMAGED", hint="Use the version that wrote it.")
    return found


def seal(text: str, passphrase: str) -> bytes:
    """Encrypt: scrypt (RFC 7914) makes the key, AES-256-GCM (NIST SP 800-38D) encrypts and authenticates."""
    from Crypto.Cipher import AES
    from Crypto.Random import get_random_bytes

    salt = get_random_bytes(16)
    cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=get_random_bytes(12))
    sealed, tag = cipher.encrypt_and_digest(text.encode())
    return salt + cipher.nonce + tag + sealed


def unseal(data: bytes, passphrase: str) -> str:
    """Decrypt what `seal` made. Raises UsageError PASSPHRASE_WRONG, also for data that was changed."""
    from Crypto.Cipher import AES

    salt, nonce, tag, sealed = data[:16], data[16:28], data[28:44], data[44:]
    try:
        cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=nonce)
        return cipher.decrypt_and_verify(sealed, tag).decode()
    except ValueError as error:
        raise UsageError("The passphrase does not open the secrets of this backup.", code="PASSPHRASE_WRONG") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    from Crypto.Protocol.KDF import scrypt

    key: Any = scrypt(passphrase, salt, 32, **_SCRYPT)
    return bytes(key)
