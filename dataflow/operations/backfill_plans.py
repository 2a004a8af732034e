"""What a backfill was asked for, kept in a file so that another process can go on with it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from dataflow.config.paths import ProjectPaths
from dataflow.config.validation import suggestion
from dataflow.errors import UsageError
from dataflow.system.files import write_json

TAG = "dataflow/backfill"
_KEPT = 50  # plans that stay; older ones go


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """The partitions (`keys`, in order) of a workflow, and the run options that all of them share, as texts."""

    id: str
    workflow: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    assets: tuple[str, ...]
    tags: tuple[str, ...]
    max_parallel: int


def make(
    workflow: str,
    keys: Sequence[str],
    values: tuple[str, ...],
    assets: tuple[str, ...],
    tags: tuple[str, ...],
    *,
    max_parallel: int,
) -> BackfillPlan:
    """A plan with an id of its own."""
    return BackfillPlan(uuid.uuid4().hex[:8], workflow, tuple(keys), values, assets, tags, max_parallel)


def save(paths: ProjectPaths, plan: BackfillPlan) -> None:
    """Keep the plan; the oldest go when there are many."""
    paths.backfills.mkdir(parents=True, exist_ok=True)
    write_json(paths.backfills / f"{plan.id}.json", asdict(plan))
    for old in _newest_first(paths)[_KEPT:]:
        old.unlink(missing_ok=True)


def find(paths: ProjectPaths, plan_id: str) -> BackfillPlan:
    """The plan of this id, of the beginning of one, or the `last`. Raises UsageError BACKFILL_UNKNOWN."""
    files = _newest_first(paths)
    known = [path.stem for path in files]
    fitting = files[:1] if plan_id == "last" else [path for path in files if path.stem.startswith(plan_id)]
    if len(fitting) != 1:
        which = "There has been no backfill yet." if not files else f"There is no backfill '{plan_id}'."
        hint = suggestion(plan_id, known) or (f"The newest: {', '.join(known[:5])}." if known else None)
        raise UsageError(which, code="BACKFILL_UNKNOWN", hint=hint)
    return TypeAdapter(BackfillPlan).validate_json(fitting[0].read_bytes())


def every(paths: ProjectPaths) -> list[BackfillPlan]:
    """All that are kept, the newest first."""
    return [find(paths, path.stem) for path in _newest_first(paths)]


def _newest_first(paths: ProjectPaths) -> list[Path]:
    return sorted(paths.backfills.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
