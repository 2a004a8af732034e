"""Read what `audited` wrote: who changed what, the newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from dataflow.operations.context import Context
from dataflow.system.files import mapped_os_errors

_READ = 256 * 1024  # bytes from the end: more than anybody looks at


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One change: `outcome` is done, interrupted, or the code of the error it ended with."""

    time: datetime
    actor: str
    operation: str
    detail: str
    outcome: str


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """Changes, the newest first."""

    lines: tuple[AuditLine, ...]


def trail(context: Context, *, limit: int = 100) -> AuditTrail:
    """The newest changes. A line that was not written to its end is left out."""
    path = context.paths.audit
    if not path.exists():
        return AuditTrail(())
    with mapped_os_errors(path), path.open("rb") as file:
        file.seek(max(path.stat().st_size - _READ, 0))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    found = [made for made in map(_line, reversed(lines)) if made is not None]
    return AuditTrail(tuple(found[:limit]))


def _line(text: str) -> AuditLine | None:
    try:
        fields = json.loads(text)
        time = datetime.fromisoformat(fields["timestamp"])
        return AuditLine(time, *(str(fields[name]) for name in ("actor", "operation", "detail", "outcome")))
    except (ValueError, KeyError, TypeError):
        return None
