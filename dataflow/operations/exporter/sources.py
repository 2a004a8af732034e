"""Which sources a platform has: made from a project's paths and the variables its code sees."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow import __version__
from dataflow.config.paths import ProjectPaths
from dataflow.engines import probes
from dataflow.models import EngineName
from dataflow.operations.exporter.assets import AssetSource, MaxAges
from dataflow.operations.exporter.collector import Collector, Source
from dataflow.operations.exporter.data import BackupSource, BucketSource, WarehouseSource
from dataflow.operations.exporter.history import History, PostgresHistory, SqliteHistory
from dataflow.operations.exporter.log_lines import FileLines, LokiLines
from dataflow.operations.exporter.machine import MachineSource
from dataflow.operations.exporter.metrics import Reading
from dataflow.operations.exporter.runs import RunSource
from dataflow.operations.exporter.services import SeenRestarts, ServiceSource, SupervisedRestarts

if TYPE_CHECKING:
    from dataflow.shared.minio import ObjectStore


def collector_of(engine: EngineName, paths: ProjectPaths, env: Mapping[str, str] = os.environ) -> Collector:
    """The collector of a platform's exporter, or of a command that stands in for one."""
    info = Reading("dataflow_build_info", (__version__, engine), 1)
    return Collector(sources(engine, paths, env), (info,))


def sources(engine: EngineName, paths: ProjectPaths, env: Mapping[str, str]) -> list[Source]:
    """Every source of an engine."""
    found: list[Source] = [
        RunSource(_history(engine, paths, env)),
        AssetSource(_history(engine, paths, env), MaxAges(paths)),
        WarehouseSource(Path(env.get("DATAFLOW_WAREHOUSE_PATH") or paths.state / "warehouse.duckdb")),
        BucketSource(lambda: _store(env), lambda: _wanted(paths, "object-store")),
        BackupSource(paths.backups),
        MachineSource(paths.state),
    ]
    if engine == "native":
        restarts = SupervisedRestarts(paths.run, paths.stack)
        return [*found, ServiceSource(paths.run, restarts), FileLines(paths.logs)]
    return [*found, ServiceSource(paths.run, SeenRestarts()), *_loki(paths, env)]


def _history(engine: EngineName, paths: ProjectPaths, env: Mapping[str, str]) -> History:
    """Of its own for each source: a connection is for one thread."""
    if engine == "native":
        return SqliteHistory(paths.dagster_home)
    host = env.get("DATAFLOW_POSTGRES_HOST", "postgres:5432")
    name, _, port = host.rpartition(":")
    password = env.get("DATAFLOW_POSTGRES_PASSWORD", "").replace("\\", "\\\\").replace("'", "\\'")
    return PostgresHistory(f"host={name} port={port} dbname=dagster user=dataflow password='{password}'")


def _store(env: Mapping[str, str]) -> ObjectStore:
    from dataflow.shared.minio import ObjectStore

    keys = (env.get("DATAFLOW_S3_ACCESS_KEY", ""), env.get("DATAFLOW_S3_SECRET_KEY", ""))
    return ObjectStore(env.get("DATAFLOW_S3_ENDPOINT", ""), *keys, region=env.get("DATAFLOW_S3_REGION", "us-east-1"))


def _loki(paths: ProjectPaths, env: Mapping[str, str]) -> list[Source]:
    from dataflow.clients.loki import Loki

    url = env.get("DATAFLOW_LOKI_URL", "")
    project = env.get("DATAFLOW_COMPOSE_PROJECT", "")
    if not url or not project:
        return []
    return [LokiLines(Loki(url), f'{{project="{project}"}}', lambda: _wanted(paths, "loki"))]


def _wanted(paths: ProjectPaths, service: str) -> bool:
    """Whether the engine brought the service up."""
    return any(target.service == service for target in probes.load(paths.run))
