"""The S3 client set up to fail fast, and what it tells about one object."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dataflow.errors import ConfigurationError

if TYPE_CHECKING:
    from minio import Minio
    from minio.datatypes import Object

CONNECT_SECONDS, READ_SECONDS = 2.0, 60.0
_USER = "x-amz-meta-"
SHA256_KEY = f"{_USER}sha256"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object. `sha256` is None for objects that other programs stored, and in listings; sizes are bytes.

    `metadata` is what whoever stored it added, without our checksum; empty in listings.
    """

    bucket: str
    key: str
    size: int
    etag: str
    modified: datetime | None
    content_type: str | None
    sha256: str | None
    metadata: dict[str, str] = field(default_factory=dict[str, str])


def new_client(endpoint: str, access_key: str, secret_key: str, region: str) -> Minio:
    """A client for `http://host:port` that gives up on a silent host after two seconds.

    Raises:
        ConfigurationError: CONFIG_INVALID; the endpoint is no such address.
    """
    import urllib3
    from minio import Minio

    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        hint = "Write http://host:port"
        raise ConfigurationError(f"{endpoint!r} is not the address of an object store", hint=hint)
    # The client's own pool retries for minutes; ours fails at once and the retries stand in one place.
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    return Minio(
        parts.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=parts.scheme == "https",
        region=region,
        http_client=urllib3.PoolManager(timeout=timeout, retries=False, maxsize=8),
    )


def info_of(found: Object) -> ObjectInfo:
    """The client's object as ours: ETag without quotes, our checksum out of the metadata."""
    metadata = {name.lower(): value for name, value in (found.metadata or {}).items()}
    return ObjectInfo(
        bucket=found.bucket_name,
        key=found.object_name or "",
        size=found.size or 0,
        etag=(found.etag or "").strip('"'),
        modified=found.last_modified,
        content_type=found.content_type or metadata.get("content-type"),
        sha256=metadata.get(SHA256_KEY),
        metadata={
            name.removeprefix(_USER): value
            for name, value in metadata.items()
            if name.startswith(_USER) and name != SHA256_KEY
        },
    )
