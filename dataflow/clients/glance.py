"""What a glance at the platform needs to know of Dagster: the last run of each workflow, assets and their checks.

Asked of the running Dagster in two small questions; `glance_files` has the same answers from SQLite files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from dataflow.clients.dagster import RUN_FIELDS, DagsterClient, run_of
from dataflow.models import Run

CheckSeverity = Literal["error", "warning"]

_RUNS = f"""{{ repositoriesOrError {{ __typename
  ... on RepositoryConnection {{ nodes {{ jobs {{ name runs(limit: 1) {{ {RUN_FIELDS} }} }} }} }}
}} }}"""
_ASSETS = """{ assetNodes {
  assetKey { path } isMaterializable
  assetMaterializations(limit: 1) { timestamp }
  assetChecksOrError { __typename ... on AssetChecks { checks { name executionForLatestMaterialization {
    status timestamp evaluation { severity }
  } } } }
} }"""
_FAILED = {"FAILED", "EXECUTION_FAILED"}


@dataclass(frozen=True, slots=True)
class AssetSeen:
    """An asset, and when it was computed last; None where it never was."""

    key: str
    computed: datetime | None


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """A check of an asset, and how it came out last. One that could not be carried out did not pass."""

    asset: str
    name: str
    passed: bool
    severity: CheckSeverity
    time: datetime | None


@dataclass(frozen=True, slots=True)
class DataSeen:
    """All assets, and every check that was carried out at least once."""

    assets: tuple[AssetSeen, ...]
    checks: tuple[CheckSeen, ...]


class Glance(Protocol):
    """Whoever can tell. Both raise BackendError where the answer cannot be had."""

    def last_runs(self) -> list[Run]:
        """The newest run of each workflow."""
        ...

    def data(self) -> DataSeen:
        """Assets and checks."""
        ...


class ServerGlance:
    """Asks the running Dagster."""

    def __init__(self, client: DagsterClient) -> None:
        self._client = client

    def last_runs(self) -> list[Run]:
        """The newest run of each job that Dagster knows; not of its own hidden ones."""
        nodes = self._client.ask(_RUNS)["repositoriesOrError"].get("nodes", [])
        jobs = [job for node in nodes for job in node["jobs"] if not job["name"].startswith("__")]
        return [run_of(run) for job in jobs for run in job["runs"]]

    def data(self) -> DataSeen:
        """What Dagster's catalogue of assets says."""
        nodes = [node for node in self._client.ask(_ASSETS)["assetNodes"] if node["isMaterializable"]]
        assets = tuple(AssetSeen(_key(node), _computed(node)) for node in nodes)
        checks = tuple(check for node in nodes for check in _checks(node))
        return DataSeen(assets, checks)


class NoGlance:
    """Where Dagster is not wanted there is nothing to know."""

    def last_runs(self) -> list[Run]:
        """None."""
        return []

    def data(self) -> DataSeen:
        """None."""
        return DataSeen((), ())


def _key(node: dict[str, Any]) -> str:
    return "/".join(node["assetKey"]["path"])


def _computed(node: dict[str, Any]) -> datetime | None:
    times = [int(one["timestamp"]) / 1000 for one in node["assetMaterializations"]]
    return datetime.fromtimestamp(times[0], UTC) if times else None


def _checks(node: dict[str, Any]) -> list[CheckSeen]:
    found: list[CheckSeen] = []
    for check in node["assetChecksOrError"].get("checks", ()):
        if last := check["executionForLatestMaterialization"]:
            severity = (last["evaluation"] or {}).get("severity", "ERROR")
            found.append(
                CheckSeen(
                    _key(node),
                    check["name"],
                    passed=last["status"] not in _FAILED,
                    severity="warning" if severity == "WARN" else "error",
                    time=datetime.fromtimestamp(last["timestamp"], UTC),
                )
            )
    return found
