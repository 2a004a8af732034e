"""Every metric there is, by name: what sources may give, what rules may ask, what the reference page says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its kind, its HELP text, its labels in order, and the source that gives it."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram's value: cumulative counts by upper bound, the last one infinite, and the sum."""

    counts: tuple[tuple[float, int], ...]
    sum: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric. `labels` are in the metric's order."""

    metric: str
    labels: tuple[str, ...]
    value: float | Distribution

    @property
    def named(self) -> dict[str, str]:
        """Its labels by name."""
        return dict(zip(METRICS[self.metric].labels, self.labels, strict=True))


def _of(source: str, **metrics: tuple[Kind, str, tuple[str, ...]]) -> dict[str, Metric]:
    return {f"dataflow_{name}": Metric(kind, text, labels, source) for name, (kind, text, labels) in metrics.items()}


_RUN = ("workflow",)
_STATE = ("workflow", "state")
_SCHEDULE = ("workflow", "schedule")
_ASSET = ("workflow", "asset")

METRICS: dict[str, Metric] = {
    **_of(
        "runs",
        runs_total=("counter", "Runs that ended, by how: success, failure, canceled.", _STATE),
        runs_open=("gauge", "Runs that have not ended: queued, starting, running, canceling.", _STATE),
        run_duration_seconds=("histogram", "How long runs took from their start to their end.", _RUN),
        run_queue_seconds=("histogram", "How long runs waited between being asked for and starting.", _RUN),
        run_elapsed_seconds=("gauge", "How long the longest running run has been running.", _RUN),
        run_typical_duration_seconds=("gauge", "Median duration of the last 20 good runs, of 3 or more.", _RUN),
        step_failures_total=("counter", "Steps that failed, in runs that failed.", ("workflow", "step")),
        workflow_last_run_success=("gauge", "Whether the last run that succeeded or failed succeeded.", _RUN),
        workflow_last_run_end_timestamp_seconds=("gauge", "When that run ended.", _RUN),
        schedule_last_run_timestamp_seconds=("gauge", "When a schedule last asked for a run.", _SCHEDULE),
        schedule_typical_interval_seconds=(
            "gauge",
            "Median time between the last 20 runs of a schedule that is on, of 4 or more.",
            _SCHEDULE,
        ),
    ),
    **_of(
        "assets",
        asset_last_materialization_timestamp_seconds=("gauge", "When an asset was last made.", _ASSET),
        asset_max_age_seconds=(
            "gauge",
            "How old an asset may be: by its policy, or `fresh_hours` of its workflow.",
            _ASSET,
        ),
        check_passed=("gauge", "Whether a check held last; a mere warning counts as held.", (*_ASSET, "check")),
    ),
    **_of(
        "services",
        service_up=("gauge", "Whether what users of a service use answers.", ("service",)),
        service_restarts_total=("counter", "Times a service ended by itself, as far as it was seen.", ("service",)),
    ),
    **_of(
        "warehouse",
        warehouse_bytes=("gauge", "Bytes on disk of the live warehouse and of its snapshot.", ("file",)),
        warehouse_snapshot_timestamp_seconds=("gauge", "When the snapshot that readers take was published.", ()),
        table_rows=("gauge", "Rows of a table in the published snapshot.", ("schema", "table")),
        table_bytes=("gauge", "Bytes of the blocks of a table in the published snapshot.", ("schema", "table")),
    ),
    **_of(
        "buckets",
        bucket_objects=("gauge", "Objects in a bucket.", ("bucket",)),
        bucket_bytes=("gauge", "Bytes of the objects in a bucket.", ("bucket",)),
    ),
    **_of(
        "backups",
        backups=("gauge", "Backups there are.", ()),
        backup_bytes=("gauge", "Bytes of all backups.", ()),
        backup_last_timestamp_seconds=("gauge", "When the newest backup was made.", ()),
    ),
    **_of("logs", log_lines_total=("counter", "Log lines since the exporter began.", ("service", "level"))),
    **_of(
        "machine",
        disk_size_bytes=("gauge", "Size of the disk that holds the project's state.", ()),
        disk_free_bytes=("gauge", "Free bytes of that disk.", ()),
        memory_size_bytes=("gauge", "Memory of the machine.", ()),
        memory_available_bytes=("gauge", "Memory that programs can still have without swapping.", ()),
    ),
    **_of(
        "exporter",
        source_up=("gauge", "Whether a source of these metrics answered.", ("source",)),
        source_errors_total=("counter", "Times a source did not answer.", ("source",)),
        source_duration_seconds=("gauge", "How long a source took to answer last.", ("source",)),
        build_info=("gauge", "Version of the toolkit and the engine in use; always 1.", ("version", "engine")),
    ),
}
