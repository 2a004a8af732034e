"""Drive the dashboard as a person does: press keys, wait until something can be seen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from dataflow_tui.app import Dashboard
from dataflow_tui.demo.platform import DemoPlatform

Act = Callable[["Seat"], Awaitable[None]]
_PATIENCE = 30.0  # seconds: much, because the machine may be busy


class Seat:
    """A person before the dashboard."""

    def __init__(self, app: Dashboard, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Without the pilot's waiting for all to be still: whoever presses then waits for what they want to see."""
        await self.app._press_keys(keys)

    async def type(self, text: str) -> None:
        for letter in text:
            await self.app._press_keys([_NAMES.get(letter, letter)])

    async def until(self, check: Callable[[], Any], what: str = "") -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + _PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"never: {what or check}\n{self.screen}"
            await asyncio.sleep(0.08)

    async def sees(self, *texts: str) -> None:
        """Wait until all of these stand on the screen."""
        await self.until(lambda: all(text in self.screen for text in texts), f"on the screen: {texts}")

    async def misses(self, text: str) -> None:
        """Wait until this no longer stands on the screen."""
        await self.until(lambda: text not in self.screen, f"off the screen: {text}")

    @property
    def screen(self) -> str:
        """What stands on the screen, as text."""
        top = self.app.screen
        lines = top._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in lines)

    @property
    def toasts(self) -> list[str]:
        return [note.message for note in self.app._notifications]

    def text(self, selector: str) -> str:
        """The text of a Static."""
        return str(self.app.screen.query_one(selector, Static).render())


_NAMES = {" ": "space", "-": "minus", ".": "full_stop", "*": "asterisk", "=": "equals_sign", "'": "apostrophe",
          "(": "left_parenthesis", ")": "right_parenthesis", "/": "slash", ",": "comma", "_": "underscore",
          "[": "left_square_bracket", ":": "colon"}  # fmt: skip


def drive(
    act: Act, platform: Any = None, *, size: tuple[int, int] = (120, 40), kept: Path | None = None, **more: Any
) -> Dashboard:
    """Let somebody act on the dashboard of a platform, the demo's if none is given."""
    app = Dashboard(platform or DemoPlatform(pace=0, rate=20), kept=kept, **more)

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await act(Seat(app, pilot))
            app._puller.close()

    asyncio.run(run())
    return app


class Faulty:
    """The demo, some of whose answers are errors, or never come until they are let go."""

    name = "acme-shop"
    demo = True

    def __init__(self, inner: DemoPlatform | None = None) -> None:
        self.inner = inner or DemoPlatform(pace=0, rate=20)
        self.errors: dict[str, Exception] = {}
        self.answers: dict[str, Any] = {}
        self.held: dict[str, threading.Event] = {}

    def hold(self, name: str) -> threading.Event:
        """From now on this is not answered until the event is set."""
        return self.held.setdefault(name, threading.Event())

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.inner, name)

        def ask(*arguments: Any, **more: Any) -> Any:
            if name in self.held:
                self.held[name].wait(60)
            if name in self.errors:
                raise self.errors[name]
            return self.answers[name] if name in self.answers else real(*arguments, **more)

        return ask
