"""What changes the run history in DAGSTER_HOME while Dagster's services are down. Imports dagster (half a second)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance


class DagsterFiles:
    """The instance in `home`, which holds a dagster.yaml. The environment is the one workflow code gets."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        import os

        # Dagster's run launcher and storages read the process's environment.
        os.environ.update(
            {key: value for key, value in environment.items() if key.startswith(("DATAFLOW_", "DAGSTER_"))}
        )
        from dagster import DagsterInstance

        self._instance: DagsterInstance = DagsterInstance.from_config(str(home))

    def cancel(self, run_id: str) -> bool:
        """Ask a run to end; False where it is not running."""
        return bool(self._instance.run_launcher.terminate(run_id))

    def prepare(self) -> None:
        """Make the storages' files: services that start at once and each do it break them."""
        _ = self._instance.run_storage, self._instance.event_log_storage, self._instance.schedule_storage

    def end(self, run_id: str, reason: str, *, canceled: bool = False) -> None:
        """Write the end of a run whose process is gone without having done so."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        if canceled:
            self._instance.report_run_canceled(run, reason)
        else:
            self._instance.report_run_failed(run, reason)
