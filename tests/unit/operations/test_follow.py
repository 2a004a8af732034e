"""A run that ends between two questions: nothing it said is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from dataflow.clients.runs import EventPage, RunEvent
from dataflow.events import Event
from dataflow.models import Run, RunState
from dataflow.operations import follow

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SAID = [
    RunEvent(NOW, "step-started", "debug", "begins", "extract"),
    RunEvent(NOW, "step-succeeded", "debug", "done", "extract"),
]


class EndsBetweenQuestions:
    """It says its last word and ends between the third answer and the fourth."""

    def __init__(self) -> None:
        self.asked = 0

    def run(self, run_id: str) -> Run:
        self.asked += 1
        state: RunState = "success" if self.asked > 3 else "running"
        return Run(run_id, "good", state)

    def events(self, run_id: str, cursor: str | None = None) -> EventPage:
        self.asked += 1
        there = len(SAID) if self.asked > 3 else 1
        return EventPage(tuple(SAID[int(cursor or 0) : there]), str(there))


def test_the_last_words_of_a_run_are_heard(monkeypatch: Any) -> None:
    monkeypatch.setattr(follow, "_notice_death", lambda *_: None)
    history = EndsBetweenQuestions()
    context: Any = SimpleNamespace(history=lambda: history, dagster=history)
    told: list[Event] = []
    run, progress = follow._watch(context, "1" * 32, told.append)
    assert run.state == "success"
    assert [(step.name, step.state) for step in progress.steps] == [("extract", "success")]
