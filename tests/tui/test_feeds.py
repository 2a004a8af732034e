"""The states of a feed, with a clock that stands still."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dataflow.errors import Action, BackendError
from dataflow_tui.feeds import LONGEST_PAUSE, Answer, Feed, Puller, Trouble
from dataflow_tui.signs import Look
from dataflow_tui.themes import DARK, look_of
from dataflow_tui.widgets.panel import note_of

LOOK: Look = look_of(DARK)
DOWN = BackendError("Loki [/b] is away.", hint="Start it.", actions=(Action("Start it", "dataflow start loki"),))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def feed(clock: Clock, answers: list[Any]) -> Feed[Any]:
    def fetch() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Feed("one", fetch, every=2, patience=5, clock=clock)


def test_it_loads_then_it_is_there(clock: Clock) -> None:
    one = feed(clock, ["first"])
    assert one.state().kind == "loading"
    one.take(one.ask())
    clock.now += 1
    assert (one.state().kind, one.state().age, one.value) == ("ok", 1, "first")
    assert one.pause == 2


def test_a_source_that_never_answered_is_down_and_says_what_helps(clock: Clock) -> None:
    one = feed(clock, [DOWN])
    one.take(one.ask())
    state = one.state()
    assert state.kind == "down"
    assert state.trouble == Trouble("BACKEND_FAILED", "Loki [/b] is away.", "Start it.", ("dataflow start loki",))
    note = note_of(state, LOOK, filled=False, empty="")
    assert note is not None
    assert note.plain.splitlines() == [
        "✗ Loki [/b] is away.", "Start it.", "  → dataflow start loki", "asks again in 1 s; R asks now",
    ]  # fmt: skip


def test_what_it_said_last_outlives_it_and_it_heals(clock: Clock) -> None:
    one = feed(clock, ["first", DOWN, "second"])
    one.take(one.ask())
    clock.now += 12
    one.take(one.ask())
    state = one.state()
    assert (state.kind, state.age, one.value) == ("stale", 12, "first")
    note = note_of(state, LOOK, filled=True, empty="")
    assert note is not None
    assert "as of 12 s ago: Loki [/b] is away." in note.plain
    one.take(one.ask())
    assert (one.state().kind, one.value) == ("ok", "second")


def test_one_that_is_silent_is_in_trouble_before_it_answers(clock: Clock) -> None:
    one = feed(clock, ["late"])
    answer = one.ask()  # the thread is still in the call, for the loop
    clock.now += 5.5
    state = one.state()
    assert (state.kind, state.trouble and state.trouble.message) == ("down", "No answer for 6 s.")
    assert state.retry_in is None
    one.take(answer)
    assert one.state().kind == "ok"


def test_it_is_asked_less_and_less_often(clock: Clock) -> None:
    one = feed(clock, [DOWN] * 9)
    pauses: list[float] = []
    for _ in range(9):
        one.take(one.ask())
        pauses.append(one.pause)
    assert pauses[:4] == [1, 2, 4, 8]
    assert max(pauses) == LONGEST_PAUSE


def test_a_fault_of_ours_is_shown_too(clock: Clock) -> None:
    one = feed(clock, [ZeroDivisionError("division by zero")])
    one.take(one.ask())
    trouble = one.state().trouble
    assert trouble is not None
    assert (trouble.code, trouble.message) == ("INTERNAL", "ZeroDivisionError: division by zero")


def test_empty_says_what_to_do_next(clock: Clock) -> None:
    one = feed(clock, [()])
    note = note_of(one.state(), LOOK, filled=False, empty="x")
    assert note is not None
    assert note.plain == "◐ Loading …"
    one.take(one.ask())
    note = note_of(one.state(), LOOK, filled=False, empty="No runs yet: x runs it.")
    assert note is not None
    assert note.plain == "No runs yet: x runs it."
    assert note_of(one.state(), LOOK, filled=True, empty="x") is None


def test_only_what_is_shown_is_asked_and_a_poke_asks_at_once() -> None:
    asked: list[str] = []
    came = threading.Condition()

    def post(answer: Answer) -> None:
        with came:
            asked.append(answer.feed)
            came.notify_all()

    def wait(name: str, times: int) -> None:
        with came:
            assert came.wait_for(lambda: asked.count(name) >= times, timeout=30)

    first, second = (Feed(name, lambda: 1, every=600) for name in ("first", "second"))
    puller = Puller(post)
    puller.show([first])
    wait("first", 1)
    puller.wake()
    wait("first", 2)
    puller.show([second])
    wait("second", 1)
    puller.wake(["second"])
    wait("second", 2)
    assert asked.count("first") == 2
    puller.show([first, second])
    wait("first", 3)
    puller.close()
