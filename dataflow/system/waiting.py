"""Wait for something to become true, and remember what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ObservationT = TypeVar("ObservationT")


def wait_until(
    observe: Callable[[], ObservationT],
    done: Callable[[ObservationT], bool],
    *,
    timeout: float,
    interval: float = 0.1,
) -> tuple[bool, ObservationT]:
    """Observe until `done` holds or `timeout` seconds have passed; say which, with the last observation."""
    deadline = time.monotonic() + timeout
    while True:
        seen = observe()
        if done(seen):
            return True, seen
        if time.monotonic() >= deadline:
            return False, seen
        time.sleep(interval)
