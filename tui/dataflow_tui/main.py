"""Start the dashboard and end it, whatever its threads are waiting for."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataflow.operations.context import Context


def run(context: Context | None, *, read_only: bool, view: str | None, theme: str | None) -> None:
    """Show a project's platform, the demo's where there is none, until somebody leaves."""
    from dataflow_tui.app import Dashboard

    name = f"dataflow-{theme}" if theme else None
    if context is None:
        from dataflow_tui.demo.platform import DemoPlatform

        app = Dashboard(DemoPlatform(), read_only=read_only, view=view, theme=name)
    else:
        from dataflow_tui.live import LivePlatform

        app = Dashboard(LivePlatform(context), read_only=read_only, view=view, theme=name, kept=_kept(context))
    app.run()
    leave()


def leave() -> None:
    """Do not wait for a thread that hangs in a call to a source: Python would, at its end."""
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _kept(context: Context) -> Path:
    return context.paths.state / "tui.json"
