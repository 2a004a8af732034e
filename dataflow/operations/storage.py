"""Files in the object store: list, put, get, remove. A place is written `bucket/key`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from dataflow.errors import ConfirmationNeeded, UsageError
from dataflow.operations.audit import audited
from dataflow.operations.context import Context


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object or, with `size` None, a bucket or folder."""

    place: str
    size: int | None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What is under a place. `truncated`: there is more than was asked for."""

    place: str
    objects: tuple[StoredObject, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A file that went into or came out of the store. `sha256` is of its content."""

    place: str
    path: Path
    bytes: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Removed:
    """Objects that are gone."""

    places: tuple[str, ...]


def list_objects(context: Context, place: str = "", *, limit: int = 1000) -> Listing:
    """Buckets where no place is given, else the objects that begin with it."""
    store = context.store()
    if not place:
        return Listing(place, tuple(StoredObject(name, None) for name in store.buckets()))
    bucket, _, prefix = place.partition("/")
    found = list(islice(store.list(bucket, prefix), limit + 1))
    objects = tuple(StoredObject(f"{item.bucket}/{item.key}", item.size, item.modified) for item in found[:limit])
    return Listing(place, objects, len(found) > limit)


def put(context: Context, path: Path, place: str) -> Moved:
    """Store a file; a place that ends in / gets the file's name. The bucket is made where there is none."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}.", code="FILE_MISSING")
    bucket, key = _split(place + path.name if place.endswith("/") else place)
    store = context.store()
    with audited(context, "storage put", place):
        store.ensure_bucket(bucket)
        info = store.put_file(bucket, key, path)
    return Moved(f"{bucket}/{key}", path, info.size, info.sha256)


def get(context: Context, place: str, path: Path, *, replace: bool = False) -> Moved:
    """Fetch an object into a file, checked against its checksum; a folder gets the object's name."""
    bucket, key = _split(place)
    target = path / Path(key).name if path.is_dir() else path
    if target.exists() and not replace:
        raise UsageError(f"{target} exists.", code="FILE_EXISTS", hint="Add --replace to write over it.")
    info = context.store().download(bucket, key, target)
    return Moved(place, target, info.size, info.sha256)


def remove(context: Context, place: str, *, recursive: bool = False, confirmed: bool = False) -> Removed:
    """Remove an object, or with `recursive` everything that begins with the place.

    Raises:
        ConfirmationNeeded: it was not confirmed; the message says how many objects would go.
    """
    bucket, key = _split(place) if not recursive else (place.partition("/")[0], place.partition("/")[2])
    store = context.store()
    if recursive:
        keys = [item.key for item in store.list(bucket, key)]
    else:
        store.stat(bucket, key)
        keys = [key]
    if not confirmed:
        many = "1 object" if len(keys) == 1 else f"{len(keys)} objects"
        raise ConfirmationNeeded(f"This removes {many} under {place} for good.", hint="Add --yes to do it.")
    with audited(context, "storage rm", place):
        for one in keys:
            store.remove(bucket, one)
    return Removed(tuple(f"{bucket}/{one}" for one in keys))


def _split(place: str) -> tuple[str, str]:
    bucket, _, key = place.partition("/")
    if not bucket or not key:
        raise UsageError(f"'{place}' is not a place in the store.", code="PLACE_INVALID", hint="Write BUCKET/KEY.")
    return bucket, key
