"""A platform that is made when it is first asked something: what it needs takes a while to import."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

from dataflow_tui.platform import Platform


class _Deferred:
    def __init__(self, name: str, make: Callable[[], Platform], *, demo: bool) -> None:
        self.name = name
        self.demo = demo
        self._make = make
        self._lock = threading.Lock()
        self._made: Platform | None = None

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """The method of the real one, which is made by the thread that calls it first."""

        def call(*arguments: Any, **more: Any) -> Any:
            with self._lock:
                self._made = self._made or self._make()
            return getattr(self._made, method)(*arguments, **more)

        return call


def deferred(name: str, make: Callable[[], Platform], *, demo: bool = False) -> Platform:
    """The platform that `make` makes, in the thread that first asks it something; the screen is there before."""
    return cast("Platform", _Deferred(name, make, demo=demo))
