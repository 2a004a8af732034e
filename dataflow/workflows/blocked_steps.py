"""Steps that wait for a place in a pool, in Dagster's in-process executor: they sleep, and they hear an interrupt.

Dagster 1.13.27 computes how long to sleep as `min([0, …])`, so a waiting run keeps a processor busy; and while nothing
runs it never looks whether somebody asked it to end. Both stand in the method that is replaced here, in the process of
a run only. A test fails once Dagster does it itself.
"""

from __future__ import annotations

import time
from typing import Any

_LONGEST = 0.5  # seconds until the next look for an interrupt


def mend() -> None:
    """Replace the method for this process."""
    from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

    InstanceConcurrencyContext.interval_to_next_pending_claim_check = _interval


def _interval(self: Any) -> float:
    """Seconds until a claim may be tried again, at most half a second."""
    from dagster._core.errors import DagsterExecutionInterruptedError
    from dagster._utils.interrupts import check_captured_interrupt

    if check_captured_interrupt():
        raise DagsterExecutionInterruptedError
    now = time.time()
    waits = [ready - now for ready in self._pending_timeouts.values()]
    return min([_LONGEST, *(max(0.0, wait) for wait in waits)])
