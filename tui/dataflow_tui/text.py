"""Text for the screen. What comes from a back end is never markup and never an escape sequence: it passes here."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from rich.text import Text
from textual.markup import escape

LONGEST = 10_000
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, and those that turn the direction of what follows: both would spoil their neighbours.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_BLOCKS = "▁▂▃▄▅▆▇█"


def clean(text: object, most: int = LONGEST) -> str:
    """The text without what a terminal would take for more than text; lines and tabs stay."""
    whole = str(text)
    cut = whole[:most] + (f"… ({len(whole):,} characters)" if len(whole) > most else "")
    return _CONTROL.sub("·", _ESCAPES.sub("", cut)) if not cut.isprintable() else cut


def one_line(text: object, most: int = LONGEST) -> str:
    """The same on one line."""
    return clean(text, most).replace("\n", " ⏎ ").replace("\t", " ")


def title(text: object) -> str:
    """The same for the title of a frame, where Textual takes markup."""
    return escape(one_line(text, 100))


def cell(value: object, style: str = "", most: int = 300) -> Text:
    """What a table shows of a value."""
    if value is None:
        return Text("-", style="dim")
    return Text(one_line(value, most), style=style, no_wrap=True, overflow="ellipsis", end="")


def number(value: object) -> Text:
    """A figure, to the right."""
    shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else one_line(value, 300)
    return Text("-", style="dim", justify="right") if value is None else Text(shown, justify="right")


def size(count: int | None) -> str:
    """Bytes as people read them: 1.2 GB."""
    if count is None:
        return "-"
    amount = float(count)
    for unit in _UNITS:
        if amount < 1000 or unit == _UNITS[-1]:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError(count)


def span(seconds: float | None) -> str:
    """A length of time in its largest unit: 4 s, 3 min, 2 h, 6 d."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h"
    return f"{days} d"


def ago(time: datetime | None, now: datetime | None = None) -> str:
    """How long ago a moment is."""
    if time is None:
        return "-"
    return f"{span(max(((now or datetime.now(UTC)) - time).total_seconds(), 0.0))} ago"


def clock(time: datetime | None) -> str:
    """A moment on this machine's clock; with its day where that is another one."""
    if time is None:
        return "-"
    local = time.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == datetime.now().astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def spark(values: list[float], width: int = 12) -> str:
    """The last values as a line of blocks, the highest of them as a full one."""
    shown = values[-width:]
    most = max(shown, default=0.0)
    return "".join(_BLOCKS[min(int(value / most * 7.99), 7)] if most > 0 else _BLOCKS[0] for value in shown)
