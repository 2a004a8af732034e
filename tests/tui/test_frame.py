"""The frame: themes, sizes, what is kept between starts, and how it is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.color import Color

from dataflow_tui.signs import STATES
from dataflow_tui.themes import THEMES, look_of
from tests.tui.driving import Seat, drive


@pytest.mark.parametrize("name", THEMES)
def test_words_can_be_read_in_every_theme(name: str) -> None:
    look = look_of(THEMES[name])
    back = Color.parse(look.back)
    for tone in ("good", "warn", "bad", "busy", "quiet", "accent", "text"):
        ratio = _contrast(Color.parse(getattr(look, tone)), back)
        assert ratio >= 4.5, f"{tone} of {name}: {ratio:.1f}"


def _contrast(one: Color, other: Color) -> float:
    """As WCAG 2 defines it."""

    def light(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_state_has_a_sign_and_a_word_beside_its_colour() -> None:
    look = look_of(THEMES["dataflow-dark"])
    for state in STATES:
        assert look.state(state).plain.endswith(f" {state}")
        assert len(look.state(state).plain.split()) == 2


def test_without_colours_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def act(seat: Seat) -> None:
        await seat.sees("✗ failure orders", "degraded")
        colours = {
            segment.style.color.get_truecolor()
            for strip in seat.app.screen._compositor.render_strips()
            for segment in strip.apply_filter(seat.app._filters[0], seat.app.screen.styles.background)
            if segment.style and segment.style.color
        }
        assert all(len(set(colour)) == 1 for colour in colours), "only shades of grey"

    drive(act)


def test_a_theme_changes_everything_and_views_go_on() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("3")
        await seat.sees("● following")
        for name in ("dataflow-light", "dataflow-contrast", "dataflow-dark"):
            await seat.press("T")
            await seat.until(lambda name=name: seat.app.theme == name)
            await seat.sees("● following", "? Help")

    drive(act)


def test_what_was_asked_and_where_one_was_is_there_at_the_next_start(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "tui.json"

    async def first(seat: Seat) -> None:
        await seat.press("3", "v", "v", "T", "5", "e")
        await seat.type("select 7")
        await seat.press("escape", "q")
        await seat.until(lambda: seat.app._exit)

    async def second(seat: Seat) -> None:
        await seat.sees("select 7", "marts.revenue")
        await seat.press("3")
        await seat.sees("asked: --level warning")
        assert seat.app.theme == "dataflow-light"

    drive(first, kept=kept)
    assert json.loads(kept.read_text())["view"] == "data"
    drive(second, kept=kept)


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", '{"view": 3, "views": {"logs": {"ask": "--run"}, "data": []}, "theme": "x"}']
)
def test_a_spoiled_memory_is_no_trouble(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "tui.json"
    kept.write_text(text)

    async def act(seat: Seat) -> None:
        await seat.sees("What is wrong", "service loki")
        await seat.press("3")
        await seat.sees("asked: everything")

    drive(act, kept=kept)


def test_any_size_keeps_everything() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("2")
        await seat.sees("object-store")
        for width, height in ((80, 24), (160, 45), (40, 10), (100, 30)) * 2:
            await seat.pilot.resize_terminal(width, height)
        await seat.pilot.resize_terminal(80, 24)
        await seat.sees("object-store", "? Help", ": Actions")
        assert "Details" not in seat.screen.split("? Help")[0], "a short and narrow terminal shows the table only"
        await seat.pilot.resize_terminal(160, 45)
        await seat.sees("Details", "q Quit")

    drive(act, size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("view", ["overview", "services", "logs", "workflows", "data", "alerts"])
def test_every_view_fits(view: str, size: tuple[int, int]) -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("? Help", ": Actions", "6 Alerts", "degraded")
        lines = seat.screen.splitlines()
        assert len(lines) == size[1]
        assert seat.app.view == view

    drive(act, size=size, view=view)


def test_the_terminal_that_is_not_looked_at_is_refreshed_less() -> None:
    from textual.events import AppBlur, AppFocus

    async def act(seat: Seat) -> None:
        await seat.sees("degraded")
        seat.app.post_message(AppBlur())
        await seat.until(lambda: seat.app._puller.slow)
        seat.app.post_message(AppFocus())
        await seat.until(lambda: not seat.app._puller.slow)

    drive(act)


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
def test_the_usual_keys_leave_too(key: str) -> None:
    async def act(seat: Seat) -> None:
        await seat.sees("degraded")
        await seat.press(key)
        await seat.until(lambda: seat.app._exit)

    drive(act)


def test_a_view_is_left_with_escape_and_the_first_table_has_the_keyboard_again() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("6", "tab", "tab")
        await seat.until(lambda: seat.app.focused is not None and seat.app.focused.id != "alerts")
        await seat.press("escape")
        await seat.until(lambda: seat.app.focused is not None and seat.app.focused.id == "alerts")

    drive(act)


def test_a_text_scrolls_and_is_copied_and_a_list_is_moved_in(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def act(seat: Seat) -> None:
        monkeypatch.setattr(seat.app, "copy_to_clipboard", copied.append)
        await seat.press("2")
        await seat.sees("object-store")
        await seat.press("enter")
        await seat.sees("y copies")
        await seat.press("j", "k", "G", "g", "space", "y", "escape")
        await seat.until(lambda: copied)
        assert "chrislusf/seaweedfs" in copied[0]
        await seat.press("y")
        await seat.sees("The same on the command line")
        await seat.press("j", "k", "j", "enter")
        await seat.until(lambda: len(copied) == 2)
        await seat.press("y", "escape")
        await seat.misses("The same on the command line")
        await seat.press("question_mark")
        await seat.sees("type to search")
        await seat.press("down", "pagedown", "up", "pageup", "escape")

    drive(act)


def test_a_form_is_left_by_its_button_and_a_switch_counts() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("4")
        await seat.sees("nightscout")
        await seat.press("x")
        await seat.sees("full_refresh (boolean)")
        form = seat.app.screen
        form.query_one("#field-2").action_toggle_switch()
        assert form._values() == ("full_refresh=true",)
        await seat.pilot.click("#leave")
        await seat.misses("full_refresh (boolean)")
        await seat.press("x")
        await seat.sees("full_refresh (boolean)")
        await seat.press("escape")
        await seat.misses("full_refresh (boolean)")

    drive(act)


def test_a_value_of_an_answer_is_shown_whole() -> None:
    async def act(seat: Seat) -> None:
        await seat.press("5")
        await seat.sees("marts.revenue")
        await seat.press("enter")
        await seat.sees("180 rows in")
        seat.app.query_one("#answer").focus()
        await seat.press("l", "j", "enter")
        await seat.sees("Value", "Customer")
        await seat.press("escape", "escape")
        await seat.until(lambda: seat.app.focused is not None and seat.app.focused.id == "tables")

    drive(act)
