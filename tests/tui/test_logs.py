"""The log view and what it is made of: a ring, a search, a question."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dataflow.errors import UsageError
from dataflow.models import LogLine
from dataflow_tui.demo.platform import DemoPlatform
from dataflow_tui.log_ask import query_of, read_ask, write_ask
from dataflow_tui.log_buffer import LogBuffer, packed, pattern_of, unpacked, whole
from dataflow_tui.log_histogram import Histogram
from dataflow_tui.log_search import Search
from dataflow_tui.selection import LogAsk
from dataflow_tui.themes import DARK, look_of
from dataflow_tui.widgets.log_view import LogView
from tests.tui.driving import Faulty, Seat, drive

WHEN = datetime(2026, 11, 26, 14, 3, 21, 250_000, tzinfo=UTC)


def line(number: int, message: str = "line") -> LogLine:
    return LogLine(WHEN + timedelta(seconds=number), "info", f"{message} {number}", "loki")


def test_a_line_comes_out_as_it_went_in() -> None:
    context = {"rows": 3, "exception": "Traceback\n  x=1"}
    one = LogLine(WHEN, "error", "It\nbroke", "worker", "4f1c", "load", context, "orders", "raw")
    shown = unpacked(packed(one))
    assert (shown.time, shown.level, shown.service, shown.step) == (WHEN, "error", "worker", "load")
    assert shown.text == "It ⏎ broke"
    fields = dict(whole(packed(one)))
    assert fields["message"] == "It\nbroke"
    assert fields["exception"] == "Traceback\n  x=1"
    assert fields["run"] == "4f1c"


def test_the_ring_forgets_the_oldest_and_numbers_stay() -> None:
    buffer = LogBuffer(room=5)
    assert buffer.add(packed(line(number)) for number in range(4)) == 0
    assert buffer.add(packed(line(number)) for number in range(4, 8)) == 3
    assert (buffer.first, buffer.end, len(buffer)) == (3, 8, 5)
    assert unpacked(buffer[3]).text == "line 3"
    assert [start for start, _ in buffer.slices()] == [3]
    buffer.clear()
    assert (buffer.first, len(buffer)) == (8, 0)


def test_a_search_counts_goes_round_and_takes_new_lines() -> None:
    buffer = LogBuffer(room=10)
    buffer.add(packed(line(number, "odd" if number % 2 else "even")) for number in range(6))
    search = Search(buffer)

    async def look() -> None:
        async for _ in search.run():
            pass

    assert search.after(0, 1) is None
    search.begin("ODD|x(")  # no regular expression, and with capitals
    asyncio.run(look())
    assert search.hits == []
    search.begin("odd")
    assert search.words(0) == "/odd: 0 so far"
    asyncio.run(look())
    assert search.hits == [1, 3, 5]
    assert (search.after(1, 1), search.after(1, -1), search.after(5, 1)) == (3, 5, 1)
    assert search.words(3) == "/odd: 2 of 3"
    assert search.words(2) == "/odd: 3"
    buffer.add(packed(line(number, "odd" if number % 2 else "even")) for number in range(6, 14))
    search.extend()
    assert search.hits == [5, 7, 9, 11, 13]


def test_the_histogram_has_a_bar_for_each_minute_and_shows_where_something_broke() -> None:
    bars = Histogram()
    look = look_of(DARK)
    assert bars.text(look).plain == ""
    counts = {0: 1, 1: 8, 3: 4}
    bars.add(packed(line(60 * minute, "line")) for minute, count in counts.items() for _ in range(count))
    bars.add([packed(LogLine(WHEN + timedelta(minutes=3), "error", "broke", "loki"))])
    shown = bars.text(look)
    assert shown.plain == "▁█▁▅ 4 min"
    assert [span.style for span in shown.spans] == [look.quiet] * 3 + [look.bad] + [look.quiet]
    bars.add(packed(line(60 * minute)) for minute in range(100, 200))
    assert bars.text(look).plain == "█" * 30 + " 30 min"
    assert look.bad not in [span.style for span in bars.text(look).spans]
    bars.clear()
    assert bars.text(look).plain == ""


def test_small_letters_find_large_ones() -> None:
    assert pattern_of("error").search("ERROR")
    assert not pattern_of("Error").search("ERROR")
    assert pattern_of("[").search("a [ b")
    assert pattern_of("5\\d\\d").search("HTTP 503")


def test_a_question_is_written_as_it_is_read() -> None:
    ask = LogAsk(("object-store", "loki"), "warn", grep="time out|'late'", since="1h", run="4f")
    assert read_ask(write_ask(ask)) == ask
    assert read_ask("") == LogAsk()
    assert read_ask("-l error loki -g x") == LogAsk(("loki",), "error", grep="x")


@pytest.mark.parametrize("text", ["--nonsense", "--level", "it's"])
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(UsageError):
        read_ask(text)


def test_the_query_is_the_operations_own() -> None:
    assert query_of(LogAsk()).tail == 1000
    assert query_of(LogAsk()).wanted.level == "info"
    narrow = query_of(LogAsk(("loki",), "warn", grep="x"))
    assert (narrow.services, narrow.wanted.level, narrow.tail) == (("loki",), "warning", None)
    with pytest.raises(UsageError):
        query_of(LogAsk(level="loud"))


def test_who_reads_keeps_their_lines_while_new_ones_come() -> None:
    platform = Faulty(DemoPlatform(pace=0))
    platform.answers["follow_logs"] = [line(number) for number in range(300)]

    async def act(seat: Seat) -> None:
        await seat.press("3")
        await seat.sees("line 299", "● following")
        await seat.press("g")
        await seat.sees("line 0", "‖ here, 0 new")
        view = seat.app.query_one(LogView)
        view.take([packed(line(number)) for number in range(300, 320)])
        await seat.sees("line 0", "‖ here, 20 new", "320 lines")
        await seat.press("pagedown", "j", "j", "k", "pageup", "right", "left", "h")
        await seat.press("G")
        await seat.sees("line 319", "● following")
        await seat.press("k", "j", "j")
        await seat.sees("● following")
        await seat.pilot.click(LogView, offset=(5, 3))
        await seat.sees("‖ here")
        await seat.press("slash")
        await seat.type("line 12")
        await seat.press("enter")
        await seat.sees("/line 12: 11 of 11")
        await seat.press("N")
        await seat.sees("/line 12: 10 of 11")
        await seat.press("n", "n")
        await seat.sees("/line 12: 1 of 11", "line 12 ")
        await seat.press("slash", "x", "escape", "escape")
        await seat.misses("/line 12")

    drive(act, platform)


def test_trimmed_lines_do_not_move_what_is_read() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("3")
        await seat.sees("● following")
        view = seat.app.query_one(LogView)
        view.buffer._room = 500
        view.take([packed(line(number)) for number in range(500)])
        view.go(view.buffer.first + 200)
        await seat.pilot.pause()
        before = view.buffer.first + round(view.scroll_y)
        view.take([packed(line(number)) for number in range(500, 600)])
        await seat.pilot.pause()
        assert view.buffer.first + round(view.scroll_y) == before
        view.take([packed(line(number)) for number in range(600, 1200)])
        await seat.pilot.pause()
        assert view.cursor == view.buffer.first

    platform = Faulty()
    platform.answers["follow_logs"] = []
    drive(act, platform)


def test_what_is_wrong_in_a_question_is_said_and_the_old_one_stays() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("3")
        await seat.sees("asked: everything")
        for text in ("--level loud", "--grep ("):
            await seat.press("ampersand")
            await seat.type(text)
            await seat.press("enter")
        await seat.sees("There is no level 'loud'")
        await seat.sees("regular expression is not valid")
        assert "asked: everything" in seat.screen

    drive(act)
