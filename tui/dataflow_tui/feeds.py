"""Feeds: each source of the dashboard is asked in a thread of its own, and what it last said outlives its death.

A feed is `loading` until the first answer, then `ok`; while a source does not answer it is `stale` (its last answer
stays on the screen) or `down` (there never was one). The threads touch no widget: they post answers.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from dataflow.errors import DataflowError

T = TypeVar("T")
Kind = Literal["loading", "ok", "stale", "down"]
LONGEST_PAUSE = 10.0  # seconds between two attempts at a source that is down
AWAY = 5.0  # how much slower everything is asked while nobody looks at the terminal


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source gave no answer: the words of its error, and the commands that help."""

    code: str
    message: str
    hint: str = ""
    commands: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: Exception) -> Trouble:
        """The trouble that an error tells of."""
        if isinstance(error, DataflowError):
            return cls(error.code, error.message, error.hint or "", tuple(one.command for one in error.actions))
        return cls("INTERNAL", f"{type(error).__name__}: {error}", "This is a fault of DATAFLOW itself.")


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed is: `age` in seconds since its last answer, and since when and why there is none."""

    kind: Kind
    age: float = 0.0
    trouble: Trouble | None = None
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a thread brings back: a value, or an error."""

    feed: str
    value: Any = None
    error: Exception | None = None


class Feed(Generic[T]):
    """One source. Only the event loop calls `take` and `state`; only the feed's thread calls `ask`."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], T],
        *,
        every: float,
        patience: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.every = every
        self.value: T | None = None
        self._fetch = fetch
        self._patience = patience
        self._clock = clock
        self._answered: float | None = None
        self._asked: float | None = None
        self._trouble: Trouble | None = None
        self._next: float | None = None
        self._failures = 0

    def ask(self) -> Answer:
        """Ask the source once, however long it takes."""
        self._asked = self._clock()
        try:
            return Answer(self.name, value=self._fetch())
        except Exception as error:  # noqa: BLE001 - whatever a source does, the dashboard goes on and shows it
            return Answer(self.name, error=error)

    def take(self, answer: Answer) -> None:
        """Take what the thread brought."""
        self._asked = None
        if answer.error is None:
            self.value, self._answered, self._trouble, self._failures = answer.value, self._clock(), None, 0
        else:
            self._trouble = Trouble.of(answer.error)
            self._failures += 1
        self._next = self._clock() + self.pause

    @property
    def pause(self) -> float:
        """Seconds until it is asked again: longer each time that it fails."""
        if not self._failures:
            return self.every
        return min(2.0 ** min(self._failures - 1, 9), LONGEST_PAUSE)

    def state(self) -> FeedState:
        """How it is now. A source that is silent for too long is in trouble, also before its call returns."""
        now = self._clock()
        trouble = self._trouble
        waiting = now - self._asked if self._asked is not None else 0.0
        if waiting > self._patience:
            hint = "It is asked until it answers; everything else goes on."
            trouble = Trouble("NO_ANSWER", f"No answer for {waiting:.0f} s.", hint)
        if trouble is None and self._answered is None:
            return FeedState("loading")
        age = now - self._answered if self._answered is not None else 0.0
        if trouble is None:
            return FeedState("ok", age)
        again = max(self._next - now, 0.0) if self._next is not None and self._asked is None else None
        return FeedState("down" if self._answered is None else "stale", age, trouble, again)


class Puller:
    """Runs the feeds that are shown, each in a daemon thread: one that hangs keeps nobody from leaving."""

    def __init__(self, post: Callable[[Answer], object]) -> None:
        self.slow = False
        self._post = post
        self._runs: dict[str, _Run] = {}
        self._closed = False

    def show(self, feeds: Iterable[Feed[Any]]) -> None:
        """Ask these from now on, and let the others rest."""
        wanted = {feed.name: feed for feed in feeds}
        for name, run in self._runs.items():
            if name not in wanted:
                run.shown.clear()
        for name, feed in wanted.items():
            run = self._runs.get(name)
            if run is None:
                run = self._runs[name] = _Run(feed)
                threading.Thread(target=self._pull, args=(run,), name=f"feed {name}", daemon=True).start()
            if not run.shown.is_set():
                run.poke.set()
                run.shown.set()

    def wake(self, names: Iterable[str] = ()) -> None:
        """Ask these at once, all that are shown where none is named."""
        for name in list(names) or list(self._runs):
            if name in self._runs:
                self._runs[name].poke.set()

    def close(self) -> None:
        """Let every thread end when it next looks."""
        self._closed = True
        for run in self._runs.values():
            run.shown.set()
            run.poke.set()

    def _pull(self, run: _Run) -> None:
        while True:
            run.shown.wait()
            if self._closed:
                return
            run.poke.clear()
            self._post(run.feed.ask())
            pause = run.feed.pause * (AWAY if self.slow else 1.0)
            run.poke.wait(pause * random.uniform(0.95, 1.05))  # noqa: S311 - only so that not all ask at once


class _Run:
    def __init__(self, feed: Feed[Any]) -> None:
        self.feed = feed
        self.shown = threading.Event()
        self.poke = threading.Event()
