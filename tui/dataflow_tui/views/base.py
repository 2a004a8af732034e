"""What every view has in common: the feeds it needs, where the cursor begins, and what is chosen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Vertical

from dataflow_tui.feeds import Feed, FeedState
from dataflow_tui.selection import Selection
from dataflow_tui.signs import Look
from dataflow_tui.widgets.panel import Panel

if TYPE_CHECKING:
    from dataflow_tui.app import Dashboard


class View(Vertical):
    """One view. It shows what feeds hold, and asks nobody itself."""

    NAME: ClassVar[str]
    FEEDS: ClassVar[tuple[str, ...]] = ()
    HOME: ClassVar[str]
    ENTER: ClassVar[tuple[str, ...]] = ()  # tables in which Enter does what the registry says

    @property
    def desk(self) -> Dashboard:
        """The app."""
        app: Any = self.app
        return app

    @property
    def look(self) -> Look:
        """The colours in use."""
        return self.desk.look

    @property
    def chosen(self) -> Selection:
        """What is under the cursor."""
        return Selection()

    def feed(self, name: str) -> Feed[Any]:
        """A feed by its name."""
        return self.desk.feeds[name]

    def show_feed(self, name: str) -> None:
        """Show what a feed holds now."""

    def show_states(self) -> None:
        """Say anew how old or down the feeds are."""
        for name in self.FEEDS:
            self.show_feed(name)

    def say(self, panel: str, name: str, *, filled: bool) -> FeedState:
        """Let a panel say how its feed is."""
        state = self.feed(name).state()
        self.query_one(f"#{panel}", Panel).show(state, self.look, filled=filled)
        return state

    def take_focus(self) -> None:
        """Put the keyboard where it is of most use."""
        self.query_one(self.HOME).focus()

    def dress(self) -> None:
        """Another theme: show everything in its colours."""
        self.show_states()

    def keep(self) -> dict[str, Any]:
        """What it should remember until the next start."""
        return {}

    def restore(self, kept: dict[str, Any]) -> None:
        """Be as `keep` said."""

    def shown(self) -> None:
        """Somebody looks at it."""

    def typing_keys(self) -> list[tuple[str, str, str]]:
        """The keys that count while somebody types: key, label, action."""
        return [("Enter", "Take it", ""), ("Esc", "Leave", "back")]

    def back(self) -> bool:
        """Leave what is open here; whether there was something."""
        return False
