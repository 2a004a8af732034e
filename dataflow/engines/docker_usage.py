"""What containers use. A busy processor shows between two samples; the sample before is the one of the last call.

Waiting for a second sample would take longer than all the rest of `dataflow status`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dataflow.engines.base import Usage
from dataflow.errors import DataflowError
from dataflow.events import ignore
from dataflow.system.files import read_state, write_json

_FRESH = 0.5  # seconds that must lie between two samples, for the difference to say something
_OLD = 600.0  # seconds after which a sample says nothing of now


def usage(kept: Path, containers: Mapping[str, str], samples: Mapping[str, Mapping[str, Any]]) -> dict[str, Usage]:
    """Memory and processor of services; `containers` maps them to the ids of their containers."""
    now = time.time()
    before = read_state(kept, ignore)
    spent = {containers[name]: _spent(sample) for name, sample in samples.items()}
    percents = {container: _percent(before, container, spent[container], now) for container in spent}
    if now - before.get("time", 0.0) >= _FRESH and kept.parent.is_dir():
        with contextlib.suppress(DataflowError):  # a full disk: the next call has an older sample
            write_json(kept, {"time": now, "spent": spent, "percents": percents})
    return {name: Usage(_memory(samples[name]), percents[containers[name]]) for name in samples}


def service_of(summary: Mapping[str, Any]) -> str:
    """The Compose service of a container, from its summary."""
    return str((summary.get("Labels") or {}).get("com.docker.compose.service", ""))


def _percent(before: Mapping[str, Any], container: str, last: int | None, now: float) -> float | None:
    """Percent of one processor; None where there is nothing to compare with. At once again: what it was just now."""
    first = (before.get("spent") or {}).get(container)
    seconds = now - before.get("time", 0.0)
    if 0 <= seconds < _FRESH:
        return (before.get("percents") or {}).get(container)
    if last is None or not isinstance(first, int) or not _FRESH <= seconds <= _OLD:
        return None
    return round(max(0, last - first) / 1e7 / seconds, 1)


def _spent(sample: Mapping[str, Any]) -> int | None:
    """Nanoseconds of processor since the container started."""
    total = ((sample.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    return total if isinstance(total, int) else None


def _memory(sample: Mapping[str, Any]) -> int | None:
    """Bytes in use without the page cache, as `docker stats` counts them (cgroup v1 and v2 name it differently)."""
    memory = sample.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    details = memory.get("stats") or {}
    return int(memory["usage"] - details.get("total_inactive_file", details.get("inactive_file", 0)))
