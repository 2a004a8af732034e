"""Schedules of the running Dagster: what there is, on and off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dataflow.clients.dagster import REPOSITORY_NAMES, DagsterClient
from dataflow.errors import BackendError

_FIELDS = """... on Schedules { results {
  name pipelineName cronSchedule executionTimezone scheduleState { id status }
  futureTicks(limit: $ticks) { results { timestamp } }
} } ... on Error { message }"""
_LIST = f"""query($repository: RepositorySelector!, $ticks: Int) {{
  schedulesOrError(repositorySelector: $repository) {{ __typename {_FIELDS} }}
}}"""
_ON = """mutation($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) { __typename ... on Error { message } }
}"""
_OFF = "mutation($id: String!) { stopRunningSchedule(id: $id) { __typename ... on Error { message } } }"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule. `cron`: five fields in `timezone`. `next`: when it starts its workflow, or would if it were on."""

    workflow: str
    name: str
    cron: str
    timezone: str
    on: bool
    next: tuple[datetime, ...]


def schedules(dagster: DagsterClient, ticks: int) -> list[Schedule]:
    """Every schedule with its next `ticks` times. Raises BackendError BACKEND_DOWN, DAGSTER_FAILED."""
    return [_schedule(item) for item in _ask(dagster, ticks)]


def switch(dagster: DagsterClient, name: str, *, on: bool) -> None:
    """Switch a schedule. Raises BackendError BACKEND_DOWN, DAGSTER_FAILED."""
    if on:
        answer = dagster.ask(_ON, selector={**REPOSITORY_NAMES, "scheduleName": name})["startSchedule"]
    else:
        state = next(item["scheduleState"]["id"] for item in _ask(dagster, 0) if item["name"] == name)
        answer = dagster.ask(_OFF, id=state)["stopRunningSchedule"]
    if answer["__typename"] != "ScheduleStateResult":
        raise BackendError(f"Dagster did not switch '{name}': {answer.get('message')}", code="DAGSTER_FAILED")


def _ask(dagster: DagsterClient, ticks: int) -> list[Mapping[str, Any]]:
    answer = dagster.ask(_LIST, repository=REPOSITORY_NAMES, ticks=ticks)["schedulesOrError"]
    if answer["__typename"] != "Schedules":
        raise BackendError(f"Dagster does not tell its schedules: {answer.get('message')}", code="DAGSTER_FAILED")
    return answer["results"]


def _schedule(item: Mapping[str, Any]) -> Schedule:
    ticks = (tick["timestamp"] for tick in item["futureTicks"]["results"])
    return Schedule(
        workflow=item["pipelineName"],
        name=item["name"],
        cron=item["cronSchedule"],
        timezone=item["executionTimezone"] or "UTC",
        on=item["scheduleState"]["status"] == "RUNNING",
        next=tuple(datetime.fromtimestamp(tick, UTC) for tick in ticks),
    )
