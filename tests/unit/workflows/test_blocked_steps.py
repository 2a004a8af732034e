"""What a run does while its pool is full. The first test fails once Dagster needs no mending."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from dataflow.workflows import blocked_steps


class Blocked:
    """As much of Dagster's context as its method looks at: one claim that is due in a minute."""

    def __init__(self) -> None:
        self._pending_timeouts = {"step": time.time() + 60}
        self._pending_claims = {"step"}


def test_dagster_would_not_sleep_at_all() -> None:
    original: Any = InstanceConcurrencyContext.interval_to_next_pending_claim_check
    assert original(Blocked()) == 0, "Dagster sleeps by itself now: delete dataflow/workflows/blocked_steps.py"


def test_a_blocked_run_sleeps_and_wakes_for_a_claim_that_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "interval_to_next_pending_claim_check"
    monkeypatch.setattr(
        InstanceConcurrencyContext, name, InstanceConcurrencyContext.interval_to_next_pending_claim_check
    )
    blocked_steps.mend()
    mended: Any = InstanceConcurrencyContext.interval_to_next_pending_claim_check
    blocked = Blocked()
    assert mended(blocked) == 0.5
    blocked._pending_timeouts["step"] = time.time() - 1
    assert mended(blocked) == 0
    blocked._pending_timeouts.clear()
    assert mended(blocked) == 0.5


def test_an_interrupt_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.errors import DagsterExecutionInterruptedError
    from dagster._utils import interrupts

    monkeypatch.setattr(interrupts, "check_captured_interrupt", lambda: True)
    with pytest.raises(DagsterExecutionInterruptedError):
        blocked_steps._interval(Blocked())
