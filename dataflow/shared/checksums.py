"""Checksums of streams: counted while the bytes go by, so that no file is read twice or held whole."""

from __future__ import annotations

import hashlib
import io
import re
from typing import BinaryIO, Protocol

from dataflow.shared.store_errors import checksum_mismatch, store_errors

CHUNK = 1 << 20
MD5 = re.compile(r"[0-9a-f]{32}")


class Readable(Protocol):
    """Anything that gives bytes: a file, an HTTP response, a socket's file."""

    def read(self, size: int = ..., /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


class VerifiedStream(io.RawIOBase):
    """An object's bytes, compared at the end: with sha256 where the store has it, else with an ETag that is an MD5.

    Reading past the last byte raises StorageError CHECKSUM_MISMATCH when the bytes are not those that were stored,
    and STORE_DOWN when the store broke off.
    """

    def __init__(self, source: Readable, *, endpoint: str, where: str, sha256: str | None, etag: str) -> None:
        super().__init__()
        self._source = source
        self._endpoint = endpoint
        self._where = where
        self._expected = sha256 or (etag if MD5.fullmatch(etag) else None)
        self._digest = hashlib.sha256() if sha256 else hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        """Always: this stream is only read."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fill the buffer; io.BufferedReader calls this."""
        with store_errors(self._endpoint):
            data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self._digest.update(data)
        if not data and len(buffer) and self._expected not in (None, self._digest.hexdigest()):
            raise checksum_mismatch(self._where, str(self._expected), self._digest.hexdigest())
        return len(data)


def sha256_of(stream: BinaryIO) -> str:
    """The sha256 of what is left in a seekable stream, which is put back to where it was."""
    start = stream.tell()
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    stream.seek(start)
    return digest.hexdigest()
