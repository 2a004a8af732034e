"""The object store for workflow code: any S3 server, through the `minio` client.

Every object carries its sha256 as metadata, and every read is compared with it. An upload becomes visible whole or
not at all. A store that is down is said to be down within seconds.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from dataflow.errors import StorageError
from dataflow.shared.checksums import CHUNK, Readable, VerifiedStream, sha256_of
from dataflow.shared.environment import required
from dataflow.shared.s3_client import ObjectInfo, info_of, new_client
from dataflow.shared.store_errors import bucket_missing, store_errors, with_retries

__all__ = ["ObjectInfo", "ObjectStore"]

Result = TypeVar("Result")

PART_SIZE = 16 << 20  # three parts are in memory at once
SPOOL_SIZE = 8 << 20


class ObjectStore:
    """One S3 server with one set of credentials. Methods raise StorageError:

    STORE_DOWN (retryable), STORE_CREDENTIALS, BUCKET_MISSING, OBJECT_MISSING, CHECKSUM_MISMATCH, NAME_INVALID.
    """

    def __init__(self, endpoint: str, access_key: str, secret_key: str, *, region: str = "us-east-1") -> None:
        self.endpoint = endpoint
        self._client = new_client(endpoint, access_key, secret_key, region)
        self._known_buckets: set[str] = set()

    @classmethod
    def from_environment(cls) -> ObjectStore:
        """The store that DATAFLOW_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and _REGION name.

        Raises:
            ConfigurationError: VARIABLE_MISSING, or CONFIG_INVALID for an endpoint that is no URL.
        """
        return cls(
            required("DATAFLOW_S3_ENDPOINT"),
            required("DATAFLOW_S3_ACCESS_KEY"),
            required("DATAFLOW_S3_SECRET_KEY"),
            region=os.environ.get("DATAFLOW_S3_REGION") or "us-east-1",
        )

    def buckets(self) -> tuple[str, ...]:
        """The names of all buckets, sorted."""
        return tuple(sorted(bucket.name for bucket in self._call(self._client.list_buckets)))

    def ensure_bucket(self, bucket: str) -> None:
        """Make the bucket unless it is there."""
        if not self._has_bucket(bucket):
            self._make_bucket(bucket)

    def put_bytes(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store bytes under a key, replacing what was there."""
        return self._put(bucket, key, io.BytesIO(data), content_type, metadata)

    def put_file(
        self,
        bucket: str,
        key: str,
        path: Path,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store a file under a key, in parts when it is large; memory stays below 50 MB."""
        with Path(path).open("rb") as stream:
            return self._put(bucket, key, stream, content_type, metadata)

    def put_stream(
        self,
        bucket: str,
        key: str,
        stream: Readable,
        *,
        length: int = -1,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store a stream of known or unknown length (-1) under a key.

        The stream goes through a temporary file first: its checksum must be known before the first byte is sent, a
        passing fault can be retried, and a stream that breaks off leaves no object.

        Raises:
            StorageError: STREAM_TRUNCATED; the stream ended before `length` bytes, and nothing was stored.
        """
        with tempfile.SpooledTemporaryFile(max_size=SPOOL_SIZE) as spool:
            size = 0
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                spool.write(chunk)
            if length not in (-1, size):
                message = f"The stream for {bucket}/{key} ended after {size} of {length} bytes"
                raise StorageError(message, code="STREAM_TRUNCATED", hint="Nothing was stored", retryable=True)
            spool.seek(0)
            return self._put(bucket, key, cast(BinaryIO, spool), content_type, metadata)

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """The whole object, its checksum verified."""

        def work() -> bytes:
            with self.open(bucket, key) as stream:
                return stream.read()

        return with_retries(work)

    def download(self, bucket: str, key: str, path: Path) -> ObjectInfo:
        """The object as a file, its checksum verified; the file appears whole or not at all."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}.part")

        def work() -> None:
            with self.open(bucket, key) as stream, partial.open("wb") as file:
                while chunk := stream.read(CHUNK):
                    file.write(chunk)

        try:
            with_retries(work)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return self.stat(bucket, key)

    @contextmanager
    def open(self, bucket: str, key: str) -> Generator[io.BufferedReader]:
        """The object as a stream; reading its last byte raises CHECKSUM_MISMATCH when it is damaged."""
        info = self.stat(bucket, key)
        response = self._call(lambda: self._client.get_object(bucket, key), bucket, key)
        where = f"{bucket}/{key}"
        verified = VerifiedStream(response, endpoint=self.endpoint, where=where, sha256=info.sha256, etag=info.etag)
        try:
            yield io.BufferedReader(verified, CHUNK)
        finally:
            response.close()
            response.release_conn()

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """What the store knows about one object."""
        try:
            return info_of(self._call(lambda: self._client.stat_object(bucket, key), bucket, key))
        except StorageError as exc:
            # A HEAD request has no body, so servers answer "no such key" for a missing bucket too.
            if exc.code == "OBJECT_MISSING" and not self._has_bucket(bucket):
                raise bucket_missing(bucket) from exc
            raise

    def list(self, bucket: str, prefix: str = "", recursive: bool = True) -> Iterator[ObjectInfo]:
        """The objects below a prefix in the order of their keys; without `recursive`, then the folders."""
        with store_errors(self.endpoint, bucket, prefix):
            for item in self._client.list_objects(bucket, prefix=prefix, recursive=recursive):
                yield info_of(item)

    def exists(self, bucket: str, key: str) -> bool:
        """Whether the object is there; a missing bucket is still an error."""
        try:
            self.stat(bucket, key)
        except StorageError as exc:
            if exc.code == "OBJECT_MISSING":
                return False
            raise
        return True

    def remove(self, bucket: str, key: str) -> None:
        """Remove the object; one that is not there is removed already."""
        self._require_bucket(bucket)
        self._call(lambda: self._client.remove_object(bucket, key), bucket, key)

    def _call(self, work: Callable[[], Result], bucket: str = "", key: str = "") -> Result:
        """One request, again while the store fails in passing, its exceptions turned into ours."""

        def attempt() -> Result:
            with store_errors(self.endpoint, bucket, key):
                return work()

        return with_retries(attempt)

    def _put(
        self, bucket: str, key: str, stream: BinaryIO, content_type: str, metadata: Mapping[str, str] | None
    ) -> ObjectInfo:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        fields: dict[str, str | list[str] | tuple[str]] = {**(metadata or {}), "sha256": sha256_of(stream)}

        def work() -> None:
            stream.seek(0)
            self._client.put_object(
                bucket, key, stream, size, content_type=content_type, metadata=fields, part_size=PART_SIZE
            )

        self._require_bucket(bucket)
        self._call(work, bucket, key)
        return self.stat(bucket, key)

    def _require_bucket(self, bucket: str) -> None:
        """SeaweedFS makes a missing bucket on the first upload; a misspelt name must not."""
        if bucket not in self._known_buckets and not self._has_bucket(bucket):
            raise bucket_missing(bucket)

    def _has_bucket(self, bucket: str) -> bool:
        found = self._call(lambda: self._client.bucket_exists(bucket), bucket)
        (self._known_buckets.add if found else self._known_buckets.discard)(bucket)
        return found

    def _make_bucket(self, bucket: str) -> None:
        try:
            self._call(lambda: self._client.make_bucket(bucket), bucket)
        except StorageError:
            # Two runs may make it at once; what counts is that it is there.
            if not self._has_bucket(bucket):
                raise
