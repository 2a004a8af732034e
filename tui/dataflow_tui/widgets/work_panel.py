"""What work tells of itself, above the keys: as it goes on, and how it ended."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from dataflow_tui.prose import paragraphs, trouble_text
from dataflow_tui.signs import STATES, Look
from dataflow_tui.text import clean, one_line, span
from dataflow_tui.work import Work

_LINES = 5
_STAYS = 6.0  # seconds for which good news stay on the screen


def work_text(work: Work, look: Look, *, most: int = _LINES) -> Text:
    """What it told last, what is going on, and how it ended."""
    lines = [_told(state, text, look) for state, text in work.told[-most:]]
    if work.running:
        going = ", ".join(f"{step} {detail}".strip() for step, detail in list(work.running.items())[:4])
        lines.append(Text(f"◐ {one_line(going, 300)}", look.busy))
    title = Text.assemble((one_line(work.title, 80), "bold"), "  ", look.state(work.state), f"  {span(work.seconds)}")
    end = [trouble_text(work.trouble, look)] if work.trouble else []
    return paragraphs([title, *lines, *end])


def _told(state: str, text: str, look: Look) -> Text:
    sign, tone = STATES.get(state, (" ", "quiet"))
    return Text.assemble((f"{sign} ", look.of(tone)), (clean(text, 1000), look.text))


class WorkPanel(Static):
    """Shows the work of the moment. Bad news stay until Escape."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__("", markup=False, id=id)
        self.display = False
        self._shown: Work | None = None

    def show(self, work: Work, look: Look) -> None:
        """Say how it is."""
        if work.quiet and work.trouble is None:
            return
        if work.ended is not None and work is self._shown and not self.display:
            return
        self._shown = work
        self.display = True
        self.update(work_text(work, look))
        if work.state == "done":
            self.set_timer(_STAYS, lambda: self._hide(work))

    def _hide(self, work: Work) -> None:
        if self._shown is work:
            self.display = False
