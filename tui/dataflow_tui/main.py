"""Start the dashboard and end it, whatever its threads are waiting for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataflow_tui.app import Dashboard
from dataflow_tui.deferred import deferred

if TYPE_CHECKING:
    from dataflow.config.paths import ProjectPaths
    from dataflow_tui.platform import Platform


def run(
    paths: ProjectPaths | None, flags: Mapping[str, Any], *, read_only: bool, view: str | None, theme: str | None
) -> None:
    """Show a project's platform, the demo's where there is none, until somebody leaves."""
    name = paths.root.name if paths else "acme-shop"
    platform = deferred(name, lambda: _platform(paths, flags), demo=paths is None)
    kept = paths.state / "tui.json" if paths else None
    Dashboard(platform, read_only=read_only, view=view, theme=f"dataflow-{theme}" if theme else None, kept=kept).run()
    leave()


def leave() -> None:
    """Do not wait for a thread that hangs in a call to a source: Python would, at its end."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _platform(paths: ProjectPaths | None, flags: Mapping[str, Any]) -> Platform:
    if paths is None:
        from dataflow_tui.demo.platform import DemoPlatform

        return DemoPlatform()
    from dataflow_tui.live import LivePlatform

    return LivePlatform(paths, flags)
