"""The object store client against a real S3 server (SeaweedFS)."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest
from minio.error import S3Error

from dataflow.errors import ConfigurationError, StorageError
from dataflow.shared.minio import ObjectStore

from .conftest import ACCESS_KEY, SECRET_KEY, Weed, free_ports


class Zeros:
    """A stream of so many bytes that does not know its length and cannot seek."""

    def __init__(self, size: int, *, breaks: bool = False) -> None:
        self.left, self.breaks = size, breaks

    def read(self, size: int = -1, /) -> bytes:
        if self.left == 0 and self.breaks:
            raise ConnectionResetError
        size = self.left if size < 0 else min(size, self.left)
        self.left -= size
        return bytes(size)


def test_what_is_put_comes_back_with_its_checksum_and_type(store: ObjectStore) -> None:
    info = store.put_bytes("raw", "a/b.txt", b"hello", content_type="text/plain", metadata={"origin": "test"})
    assert (info.size, info.content_type, info.sha256) == (5, "text/plain", hashlib.sha256(b"hello").hexdigest())
    assert store.get_bytes("raw", "a/b.txt") == b"hello"
    assert store.stat("raw", "a/b.txt") == info


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_bytes("raw", "empty", b"")
    assert store.get_bytes("raw", "empty") == b""


def test_keys_may_hold_spaces_unicode_and_signs(store: ObjectStore) -> None:
    key = "Ordner mit Leerzeichen/größe=1+2&x?#.txt"
    store.put_bytes("raw", key, b"x")
    assert store.get_bytes("raw", key) == b"x"
    assert key in [info.key for info in store.list("raw", "Ordner mit")]


def test_listing_goes_by_prefix_and_folder(store: ObjectStore) -> None:
    for key in ("list/a/1", "list/a/2", "list/b", "other"):
        store.put_bytes("raw", key, b"x")
    assert [info.key for info in store.list("raw", "list/")] == ["list/a/1", "list/a/2", "list/b"]
    assert [info.key for info in store.list("raw", "list/", recursive=False)] == ["list/b", "list/a/"]


def test_existence_and_removal(store: ObjectStore) -> None:
    store.put_bytes("raw", "gone", b"x")
    assert store.exists("raw", "gone")
    store.remove("raw", "gone")
    assert not store.exists("raw", "gone")
    store.remove("raw", "gone")


def test_a_long_stream_of_unknown_length_goes_up_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    info = store.put_stream("raw", "big", Zeros(40 << 20))
    assert info.size == 40 << 20
    assert "-" in info.etag, "it must have been a multipart upload"
    store.download("raw", "big", tmp_path / "deep" / "big")
    assert (tmp_path / "deep" / "big").stat().st_size == 40 << 20
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["big"]


def test_a_stream_that_breaks_leaves_no_object(store: ObjectStore) -> None:
    with pytest.raises(ConnectionResetError):
        store.put_stream("raw", "broken", Zeros(1000, breaks=True))
    with pytest.raises(StorageError) as caught:
        store.put_stream("raw", "broken", Zeros(1000), length=2000)
    assert caught.value.code == "STREAM_TRUNCATED"
    assert not store.exists("raw", "broken")


def test_a_file_goes_up_and_is_read_as_a_stream(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"line 1\nline 2\n")
    store.put_file("raw", "file", tmp_path / "f")
    with store.open("raw", "file") as stream:
        assert list(stream) == [b"line 1\n", b"line 2\n"]


def test_an_object_whose_stored_checksum_differs_is_refused(store: ObjectStore, tmp_path: Path) -> None:
    wrong = "0" * 64
    store._client.put_object("raw", "wrong", io.BytesIO(b"data"), 4, metadata={"sha256": wrong})
    for read in (
        lambda: store.get_bytes("raw", "wrong"),
        lambda: store.download("raw", "wrong", tmp_path / "wrong"),
    ):
        with pytest.raises(StorageError) as caught:
            read()
        assert caught.value.code == "CHECKSUM_MISMATCH"
    assert list(tmp_path.iterdir()) == [], "a damaged object must leave no file"


def test_an_object_of_another_program_is_verified_by_its_etag(store: ObjectStore) -> None:
    store._client.put_object("raw", "foreign", io.BytesIO(b"data"), 4)
    assert store.stat("raw", "foreign").sha256 is None
    assert store.get_bytes("raw", "foreign") == b"data"


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.put_bytes("nowhere", "x", b"x"),
        lambda store: store.get_bytes("nowhere", "x"),
        lambda store: store.stat("nowhere", "x"),
        lambda store: store.exists("nowhere", "x"),
        lambda store: list(store.list("nowhere")),
        lambda store: store.remove("nowhere", "x"),
    ],
)
def test_a_missing_bucket_is_named_and_never_made_in_passing(store: ObjectStore, call: object) -> None:
    with pytest.raises(StorageError) as caught:
        call(store)  # type: ignore[operator]
    assert (caught.value.code, "nowhere" in caught.value.message) == ("BUCKET_MISSING", True)
    assert "nowhere" not in store.buckets()


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    for call in (store.get_bytes, store.stat):
        with pytest.raises(StorageError) as caught:
            call("raw", "not/there")
        assert (caught.value.code, "raw/not/there" in caught.value.message) == ("OBJECT_MISSING", True)


def test_wrong_credentials_are_said_to_be_wrong_and_never_shown(weed: Weed) -> None:
    wrong = weed.store(secret="not-the-secret")
    for call in (wrong.buckets, lambda: wrong.stat("raw", "x"), lambda: wrong.put_bytes("raw", "x", b"")):
        with pytest.raises(StorageError) as caught:
            call()
        assert caught.value.code == "STORE_CREDENTIALS"
        assert "not-the-secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(("bucket", "key"), [("a", "x"), ("raw", "../x"), ("raw", "")])
def test_names_that_cannot_be_are_refused(store: ObjectStore, bucket: str, key: str) -> None:
    with pytest.raises(StorageError) as caught:
        store.put_bytes(bucket, key, b"x")
    assert caught.value.code == "NAME_INVALID"


def test_making_a_bucket_twice_is_fine(store: ObjectStore) -> None:
    store.ensure_bucket("twice")
    store.ensure_bucket("twice")
    assert "twice" in store.buckets()


def test_a_store_that_is_down_is_said_to_be_down_within_seconds() -> None:
    store = ObjectStore(f"http://127.0.0.1:{free_ports(1)[0]}", "a", "b")
    began = time.monotonic()
    with pytest.raises(StorageError) as caught:
        store.buckets()
    assert (caught.value.code, caught.value.retryable) == ("STORE_DOWN", True)
    assert time.monotonic() - began < 5


def test_a_store_killed_in_mid_upload_shows_nothing_half_written(tmp_path: Path) -> None:
    server = Weed(tmp_path / "data").start()
    try:
        store = server.store()
        store.ensure_bucket("raw")
        (tmp_path / "big").write_bytes(bytes(1 << 20) * 200)
        killer = threading.Thread(target=_kill_once_data_arrives, args=(server,))
        killer.start()
        with pytest.raises(StorageError) as caught:
            store.put_file("raw", "half", tmp_path / "big")
        killer.join()
        assert (caught.value.code, caught.value.retryable) == ("STORE_DOWN", True)
        server.start()
        fresh = server.store()
        assert [info.key for info in fresh.list("raw")] == []
        assert not fresh.exists("raw", "half")
        fresh.put_bytes("raw", "half", b"whole")
        assert fresh.get_bytes("raw", "half") == b"whole"
    finally:
        server.kill()


def _kill_once_data_arrives(server: Weed) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if sum(volume.stat().st_size for volume in server.folder.rglob("*.dat")) > 10 << 20:
            break
        time.sleep(0.005)
    server.kill()


def test_the_environment_says_where_the_store_is(weed: Weed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAFLOW_S3_ENDPOINT", weed.endpoint)
    monkeypatch.setenv("DATAFLOW_S3_ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("DATAFLOW_S3_SECRET_KEY", SECRET_KEY)
    ObjectStore.from_environment().ensure_bucket("from-environment")


def test_a_missing_variable_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATAFLOW_S3_ENDPOINT", raising=False)
    with pytest.raises(ConfigurationError, match="DATAFLOW_S3_ENDPOINT") as caught:
        ObjectStore.from_environment()
    assert "dataflow up" in [action.command for action in caught.value.actions]


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "ftp://x", "http://", "http://host/path"])
def test_an_endpoint_that_is_no_address_is_a_configuration_error(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address"):
        ObjectStore(endpoint, "a", "b")


def test_a_store_that_is_still_starting_is_waited_for(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """SeaweedFS answers InternalError for a second or two after its start; here it is the client that says so."""
    store.ensure_bucket("lake")
    store.put_bytes("lake", "a", b"1")
    real, until = store._client.get_object, time.monotonic() + 2

    def get_object(bucket: str, key: str) -> object:
        if time.monotonic() < until:
            raise S3Error(cast(Any, None), "InternalError", "please try again", None, None, None)
        return real(bucket, key)

    monkeypatch.setattr(store._client, "get_object", get_object)
    assert store.get_bytes("lake", "a") == b"1"
    monkeypatch.setattr("dataflow.shared.store_errors.PATIENCE", 0.5)
    until = time.monotonic() + 60
    with pytest.raises(StorageError, match="is not ready: it answers InternalError") as caught:
        store.get_bytes("lake", "a")
    assert caught.value.code == "STORE_DOWN"
