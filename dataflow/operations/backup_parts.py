"""The parts of a backup: how each gets out of the platform into a file, and in again, with counts and digests."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataflow.config.paths import ProjectPaths
from dataflow.errors import WarehouseError
from dataflow.events import Progressed, Report
from dataflow.shared import db
from dataflow.shared.connecting import opened
from dataflow.shared.identifiers import quote

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from dataflow.shared.minio import ObjectInfo, ObjectStore

_INDEX = "index.jsonl"
_WAIT = 60.0


def save_warehouse(path: Path, target: Path) -> dict[str, Any]:
    """Copy the warehouse while nobody can write to it; its tables with rows and digests."""
    # Closing any descriptor of the file would drop DuckDB's lock: ours is opened before DuckDB's and closed after it.
    with path.open("rb") as file, db.write_connection(path, wait=_WAIT) as connection:
        connection.execute("CHECKPOINT")
        facts = warehouse_facts(connection)
        with target.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 22)
    return facts


def facts_of_warehouse(path: Path) -> dict[str, Any]:
    """The same of a warehouse file; nothing where there is none."""
    if not path.exists():
        return {"tables": {}, "rows": 0}
    with opened(path, read_only=True, wait=_WAIT) as connection:
        return warehouse_facts(connection)


def warehouse_facts(connection: DuckDBPyConnection) -> dict[str, Any]:
    """Rows and an order-independent digest of every table: the sum of its rows' hashes."""
    named = """
        SELECT schema_name, table_name FROM duckdb_tables()
        WHERE NOT internal AND NOT temporary AND database_name = current_database() ORDER BY 1, 2"""
    tables: dict[str, dict[str, Any]] = {}
    for schema, table in connection.execute(named).fetchall():
        sql = f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {quote(schema)}.{quote(table)} AS t"
        row = connection.execute(sql).fetchone()
        rows, digest = row or (0, "0")
        tables[f"{schema}.{table}"] = {"rows": rows, "digest": digest}
    return {"tables": tables, "rows": sum(table["rows"] for table in tables.values())}


def save_objects(store: ObjectStore, target: Path, report: Report) -> dict[str, Any]:
    """Every object of every bucket into a tar file, checked against its checksum on the way."""
    index: list[dict[str, Any]] = [{"bucket": bucket} for bucket in store.buckets()]
    with tarfile.open(target, "w") as tar:
        for number, info in enumerate(_objects(store)):
            member = tarfile.TarInfo(f"{number:09d}")
            member.size = info.size
            with store.open(info.bucket, info.key) as stream:
                counted = _Counted(stream)
                tar.addfile(member, counted)
            index.append(
                {
                    "bucket": info.bucket,
                    "key": info.key,
                    "member": member.name,
                    "size": info.size,
                    "sha256": counted.sha256,
                    "content_type": info.content_type,
                    "metadata": info.metadata,
                }
            )
            report(Progressed("objects", number + 1, unit="objects"))
        _add_text(tar, _INDEX, "".join(json.dumps(line) + "\n" for line in index))
    return _object_facts(line for line in index if "key" in line)


def load_objects(store: ObjectStore, source: Path, report: Report) -> dict[str, Any]:
    """Put the objects of a tar file into a store; what is there then, read back from the store."""
    with tarfile.open(source) as tar:
        done = 0
        for line in _index(tar):
            if "key" not in line:
                store.ensure_bucket(line["bucket"])
                continue
            member = tar.extractfile(line["member"])
            if member is None:
                raise AssertionError(f"{line['member']} is no file")
            store.put_stream(
                line["bucket"],
                line["key"],
                member,
                length=line["size"],
                content_type=line["content_type"] or "application/octet-stream",
                metadata=line["metadata"],
            )
            done += 1
            report(Progressed("objects", done, unit="objects"))
    return facts_of_objects(store)


def facts_of_objects(store: ObjectStore) -> dict[str, Any]:
    """How many objects, how many bytes, and a digest over keys, sizes and contents."""
    return _object_facts(
        {"bucket": info.bucket, "key": info.key, "size": info.size, "sha256": info.sha256 or _sha256(store, info)}
        for info in _objects(store)
    )


def save_files(paths: ProjectPaths, target: Path) -> dict[str, Any]:
    """The logs of runs and what steps left behind: files that belong to the run history."""
    folders = [paths.run_logs, paths.dagster_home / "storage"]
    found = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    with tarfile.open(target, "w") as tar:
        for path in found:
            tar.add(path, str(path.relative_to(paths.state)), recursive=False)
    return {"files": len(found)}


def save_configuration(paths: ProjectPaths, own: Iterable[Path], target: Path) -> dict[str, Any]:
    """dataflow.toml, the user's changes to the services, and services of the project's own."""
    found = [paths.config, *own, *sorted(path for path in paths.services.rglob("*") if path.is_file())]
    with tarfile.open(target, "w") as tar:
        for path in found:
            tar.add(path, str(path.relative_to(paths.root)), recursive=False)
    return {"files": [str(path.relative_to(paths.root)) for path in found]}


def unpack(source: Path, folder: Path) -> None:
    """Unpack files; names that lead out of the folder are refused by the library's filter."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(source) as tar:
        tar.extractall(folder, filter="data")


def publish(warehouse: Path) -> None:
    """Give readers what is in the warehouse now, instead of a snapshot of before."""
    from dataflow.shared import snapshot

    shutil.rmtree(warehouse.parent / "snapshots" / warehouse.stem, ignore_errors=True)
    if warehouse.exists():
        try:
            snapshot.publish(warehouse)
        except WarehouseError as error:
            if error.code != "WAREHOUSE_LOCKED":  # somebody reads or writes already: the next run publishes
                raise


class _Counted:
    """A stream that digests what goes by."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        data: bytes = self._stream.read(size)
        self._digest.update(data)
        return data

    @property
    def sha256(self) -> str:
        """Of all that was read. The last read verifies the object, too."""
        self.read()
        return self._digest.hexdigest()


def _objects(store: ObjectStore) -> Iterator[ObjectInfo]:
    for bucket in store.buckets():
        for listed in store.list(bucket):
            yield store.stat(bucket, listed.key)


def _sha256(store: ObjectStore, info: ObjectInfo) -> str:
    with store.open(info.bucket, info.key) as stream:
        return _Counted(stream).sha256


def _object_facts(lines: Iterable[dict[str, Any]]) -> dict[str, Any]:
    told = sorted((f"{line['bucket']}/{line['key']}", line["size"], line["sha256"]) for line in lines)
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return {"objects": len(told), "bytes": sum(size for _, size, _ in told), "digest": digest}


def _index(tar: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    file = tar.extractfile(_INDEX)
    if file is not None:
        yield from (json.loads(line) for line in file)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    import io

    data = text.encode()
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
