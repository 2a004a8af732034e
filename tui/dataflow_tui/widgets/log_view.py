"""A virtual view of a log: only the lines on the screen are ever rendered, so that 200,000 cost what 40 do."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dataflow_tui.log_buffer import LogBuffer, Shown, unpacked
from dataflow_tui.signs import Look

_WIDTH = 2_200  # cells: the longest line that is shown; all of it is in its details
_LEVELS = {"debug": "quiet", "info": "good", "warning": "warn", "error": "bad", "critical": "bad"}
_TONES = ("accent", "good", "warn", "busy", "text")


class LogView(ScrollView, can_focus=True):
    """Lines of a buffer, with a cursor. While it follows, it stays at the end."""

    BINDINGS = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("home,g", "top", "Top", show=False),
        Binding("end,G", "end", "End", show=False),
        Binding("left,h", "scroll_left", "Left", show=False),
        Binding("right", "scroll_right", "Right", show=False),
    ]

    class Moved(Message):
        """The cursor is on another line, or following began or ended."""

    def __init__(self, buffer: LogBuffer, *, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.buffer = buffer
        self.cursor = 0
        self.following = True
        self.unseen = 0
        self.pattern: re.Pattern[str] | None = None
        self._widest = 1
        self._back = Style()
        self._strips: LRUCache[tuple[int, bool], Strip] = LRUCache(2048)
        self._look: Look | None = None

    @property
    def current(self) -> str | None:
        """The packed line under the cursor."""
        return self.buffer[self.cursor] if self.buffer.first <= self.cursor < self.buffer.end else None

    def dress(self, look: Look) -> None:
        """Use these colours."""
        self._look = look
        self._back = self.rich_style
        self.forget()

    def forget(self) -> None:
        """Render everything anew: another search, another theme."""
        self._strips.clear()
        self.refresh()

    def take(self, lines: list[str]) -> None:
        """New lines. Who reads higher up keeps the same lines before their eyes."""
        gone = self.buffer.add(lines)
        self._widest = min(max(self._widest, *(len(line) for line in lines)), _WIDTH)
        self._measure()
        if self.following:
            self._to_end()
        else:
            self.unseen += len(lines)
            self.cursor = max(self.cursor, self.buffer.first)
            if gone:
                self.scroll_to(y=max(self.scroll_y - gone, 0), animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def empty(self) -> None:
        """Forget all lines and follow."""
        self.buffer.clear()
        self.cursor, self.unseen, self.following = self.buffer.first, 0, True
        self._strips.clear()
        self._measure()
        self.refresh()

    def follow(self, on: bool) -> None:
        """Stay at the end, or stay where it is."""
        self.following = on
        if on:
            self._to_end()
        self.refresh()
        self.post_message(self.Moved())

    def go(self, number: int) -> None:
        """Put the cursor on a line and show it, in the middle where it was not on the screen."""
        self.following = False
        self.cursor = min(max(number, self.buffer.first), max(self.buffer.end - 1, self.buffer.first))
        row, height = self.cursor - self.buffer.first, self.scrollable_content_region.height
        top = round(self.scroll_y)
        if not top <= row < top + height:
            self.scroll_to(y=max(row - height // 2, 0), animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """A line up or down; past the last one it follows again."""
        if by > 0 and self.cursor >= self.buffer.end - 1:
            self.follow(True)
            return
        self._step(by)

    def action_page(self, by: int) -> None:
        """A page up or down."""
        self._step(by * max(self.scrollable_content_region.height - 1, 1))

    def action_top(self) -> None:
        """The oldest line."""
        self.go(self.buffer.first)

    def action_end(self) -> None:
        """The newest line, and follow."""
        self.follow(True)

    def on_click(self, event: object) -> None:
        """The cursor goes where the mouse points."""
        self.go(self.buffer.first + round(self.scroll_y) + int(getattr(event, "y", 0)))

    def on_mouse_scroll_up(self) -> None:
        """Whoever scrolls up wants to read."""
        self.following = False
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Another width or height: measure again."""
        self._measure()
        if self.following:
            self._to_end()

    def render_line(self, y: int) -> Strip:
        """The line at a place on the screen."""
        left, top = self.scroll_offset
        number = self.buffer.first + top + y
        width = self.scrollable_content_region.width
        if number >= self.buffer.end or self._look is None:
            return Strip.blank(width, self._back)
        marked = number == self.cursor and self.has_focus
        key = (number, marked)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = _strip(unpacked(self.buffer[number]), self._look, self.pattern, marked=marked)
        return strip.crop_extend(left, left + width, self._back).apply_style(self._back)

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor hides."""
        self.refresh()

    def _step(self, by: int) -> None:
        row = min(max(self.cursor + by, self.buffer.first), self.buffer.end - 1) - self.buffer.first
        self.following = False
        self.cursor = self.buffer.first + max(row, 0)
        self.scroll_to_region(Region(round(self.scroll_x), row, 1, 1), animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Moved())

    def _measure(self) -> None:
        """Tell the scroll bar how much there is. Without its watchers: they would lay the whole screen out anew."""
        size = Size(self._widest, len(self.buffer))
        reactive: Any = LogView.virtual_size
        self.set_reactive(reactive, size)
        self.vertical_scrollbar.window_virtual_size = size.height
        self.vertical_scrollbar.window_size = self.scrollable_content_region.height

    def _to_end(self) -> None:
        self.cursor, self.unseen = max(self.buffer.end - 1, self.buffer.first), 0
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)


def _strip(line: Shown, look: Look, pattern: re.Pattern[str] | None, *, marked: bool) -> Strip:
    base = Style(reverse=True) if marked else Style()
    level = look.of(_LEVELS.get(line.level, "quiet"))  # pyright: ignore[reportArgumentType]
    segments = [
        Segment(f"{line.time.astimezone():%H:%M:%S} ", _style(look.quiet) + base),
        Segment(f"{line.level[:7]:<8}", _style(level) + base),
        Segment(f"{line.service} ", _style(_colour(line.service, look)) + base),
    ]
    if line.step:
        segments.append(Segment(f"{line.step} ", _style(look.quiet) + base))
    segments += _found(line.text, pattern, _style(level if line.level in {"error", "critical"} else look.text) + base)
    return Strip(segments)


def _found(text: str, pattern: re.Pattern[str] | None, style: Style) -> list[Segment]:
    """The message, with what a search finds in it standing out."""
    if pattern is None:
        return [Segment(text, style)]
    segments: list[Segment] = []
    at = 0
    for hit in pattern.finditer(text):
        if hit.end() > hit.start():
            segments += [Segment(text[at : hit.start()], style), Segment(hit.group(), style + _HIT)]
            at = hit.end()
    return [*segments, Segment(text[at:], style)]


_HIT = Style(reverse=True, bold=True)


@lru_cache(maxsize=64)
def _style(colour: str) -> Style:
    return Style(color=colour)


def _colour(service: str, look: Look) -> str:
    return str(getattr(look, _TONES[sum(service.encode()) % len(_TONES)]))
