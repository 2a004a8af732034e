"""Assets: when they were made, how old they may be, and whether their checks hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.paths import ProjectPaths
from dataflow.operations.exporter.history import History, seconds
from dataflow.operations.exporter.metrics import Reading
from dataflow.operations.exporter.runs import workflows_of
from dataflow.workflows.catalogue import kept

_MADE = "SELECT asset_key, last_materialization_timestamp, last_run_id, wipe_timestamp FROM asset_keys"
_NEWEST = "SELECT count(*), max(evaluation_event_storage_id) FROM asset_check_executions"
# Of each check the last execution that came to an end; the event itself only where it says more than the state.
_CHECKED = """
    SELECT asset_key, check_name, run_id, execution_status,
           CASE WHEN execution_status = 'FAILED' THEN evaluation_event END
    FROM asset_check_executions WHERE id IN (
        SELECT max(id) FROM asset_check_executions WHERE execution_status IN ('SUCCEEDED', 'FAILED')
        GROUP BY asset_key, check_name)"""


class AssetSource:
    """Readings of assets and checks. `max_ages`: for how many seconds assets are fresh."""

    name = "assets"
    every = 2.0

    def __init__(self, history: History, max_ages: Callable[[], Ages]) -> None:
        self._history = history
        self._max_ages = max_ages
        self._workflows: dict[str, str] = {}
        self._newest: object = None
        self._checks: list[Reading] = []

    def read(self) -> Iterator[Reading]:
        """All of them."""
        yield from self._assets()
        newest = self._history.ask("events", _NEWEST)
        if newest != self._newest:
            self._checks = list(self._check_results())
            self._newest = newest
        ages = self._max_ages()
        yield from (one for one in self._checks if ages.has(f"{one.labels[1]}:{one.labels[2]}"))

    def _assets(self) -> Iterator[Reading]:
        ages = self._max_ages()
        rows = [row for row in self._history.ask("events", _MADE) if row[1] is not None]
        self._learn({str(row[2]) for row in rows})
        for key, made, run_id, wiped in rows:
            time, gone = seconds(made), seconds(wiped)
            if time is None or (gone is not None and gone > time):
                continue
            labels = (self._workflows.get(str(run_id), ""), _name(str(key)))
            if not ages.has(labels[1]):
                continue
            yield Reading("dataflow_asset_last_materialization_timestamp_seconds", labels, time)
            if limit := ages.of(*labels):
                yield Reading("dataflow_asset_max_age_seconds", labels, limit)

    def _check_results(self) -> Iterator[Reading]:
        rows = self._history.ask("events", _CHECKED)
        self._learn({str(row[2]) for row in rows})
        for key, check, run_id, status, event in rows:
            held = status == "SUCCEEDED" or "AssetCheckSeverity.WARN" in str(event)
            labels = (self._workflows.get(str(run_id), ""), _name(str(key)), str(check))
            yield Reading("dataflow_check_passed", labels, float(held))

    def _learn(self, run_ids: set[str]) -> None:
        self._workflows |= workflows_of(self._history, run_ids - self._workflows.keys())


@dataclass(frozen=True, slots=True)
class Ages:
    """For how many seconds assets are fresh: each by itself, and where nobody has read the code yet, by workflow.

    `names`: the assets, and checks as `asset:check`, that the code has; None where that is not surely known.
    """

    assets: Mapping[str, float]
    workflows: Mapping[str, float]
    names: frozenset[str] | None = None

    def has(self, name: str) -> bool:
        """Whether there is such an asset or check: what is no longer in the code is nobody's trouble."""
        return self.names is None or name in self.names

    def of(self, workflow: str, asset: str) -> float | None:
        """The limit of one asset; None where it has none."""
        return self.assets.get(asset) or self.workflows.get(workflow)


def max_ages(paths: ProjectPaths) -> Ages:
    """From the workflows as they were last found, else from `fresh_hours` in every config.yaml."""
    if found := kept(paths):
        limits = {key: limit for info in found.workflows for key, limit in info.freshness.items()}
        names = frozenset(name for info in found.workflows for name in (*info.assets, *info.checks))
        return Ages(limits, {}, None if found.findings else names)  # what a broken workflow has is not known
    return Ages({}, dict(_of_manifests(paths.workflows)))


def _of_manifests(folder: Path) -> Iterator[tuple[str, float]]:
    """Files that cannot be read are told of elsewhere."""
    from dataflow.config.documents import load_yaml
    from dataflow.errors import ConfigurationError

    for file in folder.glob("*/config.yaml"):
        try:
            hours = load_yaml(file).data.get("fresh_hours")
        except ConfigurationError:
            continue
        if isinstance(hours, int | float) and not isinstance(hours, bool):
            yield file.parent.name, hours * 3600.0


class MaxAges:
    """The same, read again only after a file changed."""

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths
        self._stamp: object = None
        self._found = Ages({}, {})

    def __call__(self) -> Ages:
        """The ages now."""
        files = [*self._paths.run.glob("workflows.json"), *sorted(self._paths.workflows.glob("*/config.yaml"))]
        stamp = [(file, file.stat().st_mtime_ns) for file in files]
        if stamp != self._stamp:
            self._stamp, self._found = stamp, max_ages(self._paths)
        return self._found


def _name(key: str) -> str:
    """`["nightscout", "entries"]` as nightscout/entries."""
    try:
        parts = json.loads(key)
    except ValueError:
        return key
    return "/".join(map(str, parts)) if isinstance(parts, list) else key
