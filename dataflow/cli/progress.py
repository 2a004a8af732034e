"""Events for people: a live line per running step in a terminal, plain lines in CI."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dataflow.events import Event, LogSeen, Noted, Progressed, StepChanged

if TYPE_CHECKING:
    from dataflow.cli.output import Output

_SIGNS = {"started": ("·", "dim"), "done": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("-", "yellow")}


class Progress:
    """Prints what ended, and in a terminal keeps what runs on a live line below."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = output.people
        self._live = self._console.is_terminal and not os.environ.get("CI") and not output.quiet
        self._running: dict[str, str] = {}
        self._status: Any = None

    def show(self, event: Event) -> None:
        """Render one event."""
        if self._output.quiet and not (isinstance(event, Noted) and event.warning):
            return
        match event:
            case StepChanged():
                self._step(event)
            case Noted():
                self._print("!" if event.warning else " ", "yellow" if event.warning else "", event.message)
            case LogSeen() if self._output.verbose or event.level in {"warning", "error", "critical"}:
                self._print("|", "dim", f"{event.source}: {event.message}")
            case Progressed():
                of = f" of {event.total}" if event.total else ""
                self._running[event.step] = f"{event.done}{of} {event.unit}".strip()
                self._refresh()
            case LogSeen():
                pass

    def close(self) -> None:
        """End the live line."""
        if self._status:
            self._status.stop()
            self._status = None

    def _step(self, event: StepChanged) -> None:
        if event.state == "started":
            self._running[event.step] = event.detail
            if not self._live and self._output.verbose:
                self._print(*_SIGNS["started"], f"{event.step} {event.detail}".rstrip())
        else:
            self._running.pop(event.step, None)
            took = f"  {event.seconds:.1f} s" if event.seconds is not None else ""
            detail = f"  {event.detail}" if event.detail else ""
            sign, style = _SIGNS[event.state]
            self._print(sign, style, f"{event.step}{detail}{took}")
        self._refresh()

    def _print(self, sign: str, style: str, text: str) -> None:
        from rich.text import Text

        sign = sign if self._console.encoding.startswith("utf") else sign.encode("ascii", "replace").decode()
        self._console.print(Text.assemble((sign, style), " ", text), soft_wrap=True)

    def _refresh(self) -> None:
        if not self._live:
            return
        if not self._running:
            self.close()
            return
        names = list(self._running)
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if self._status is None:
            self._status = self._console.status(shown)
            self._status.start()
        else:
            self._status.update(shown)
