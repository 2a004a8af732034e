"""What an engine knows of versions: what its services run, what they would run now, and how to return to the former."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from dataflow.events import Report


@dataclass(frozen=True, slots=True)
class Version:
    """One service, or natively one package: what it runs (empty: nothing yet), and what it would run."""

    name: str
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether that is another one."""
        return bool(self.before) and self.before != self.after


class Upgrader(ABC):
    """Versions of one engine's services."""

    @abstractmethod
    def versions(self, *, ask: bool) -> tuple[Version, ...]:
        """What runs, and what would. With `ask`, registries are asked for what they have now; nothing is fetched."""

    @abstractmethod
    def fetch(self, report: Report) -> None:
        """Have here what is newest of all that is wanted. What cannot be had anew is told, and stays as it is."""

    @abstractmethod
    def hold(self) -> dict[str, str]:
        """Keep what runs now from being cleaned away; the pins that `return_to` takes."""

    @abstractmethod
    def return_to(self, pins: dict[str, str]) -> bool:
        """From now on run what the pins say, until they are released; False where this engine cannot."""

    @abstractmethod
    def release(self) -> None:
        """Run what the settings say again."""

    @abstractmethod
    def clean(self) -> None:
        """Let go of what `hold` kept: what runs now is as it should be."""
