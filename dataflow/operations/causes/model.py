"""What `why` finds: problems, each with its cause, the evidence, who suffers from it, and the commands that help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dataflow.errors import Action

Kind = Literal["platform", "service", "workflow", "run", "asset"]
MOST_ACTIONS = 3

CAUSES: dict[str, str] = {
    "engine-down": "The Docker Engine does not answer.",
    "not-up": "The platform is not up.",
    "supervisor-gone": "Processes run, but their supervisor is gone.",
    "disk-full": "There is no room left on a disk.",
    "port-taken": "Another program holds a port that a service needs.",
    "name-taken": "A container of somebody else has the name of one of ours.",
    "configuration-invalid": "What `dataflow up` would start cannot be planned: a file of the project is invalid.",
    "image-missing": "An image is not here and cannot be had.",
    "program-missing": "A program that the native engine starts is not on PATH.",
    "no-native-form": "Only the docker engine has this service.",
    "out-of-memory": "A process used more memory than it may, and was killed.",
    "bad-password": "A password is not the one that the other side knows.",
    "volume-version": "A volume was made by another major version of Postgres.",
    "stopped": "Somebody stopped it.",
    "not-started": "Nobody has started it.",
    "paused": "Its container is paused.",
    "job-failed": "A job that runs once, such as making tables, failed.",
    "crash-loop": "It ends again and again by itself.",
    "unhealthy": "It runs, but what its users use does not answer as it should.",
    "starting": "It is on its way up.",
    "workflow-broken": "The code of a workflow cannot be imported.",
    "missing-secret": "A secret that a workflow requires is not set.",
    "warehouse-locked": "Another process holds the lock of the warehouse.",
    "source-down": "A source that a workflow reads does not answer.",
    "store-down": "The object store did not answer while a run needed it.",
    "dbt-test-failed": "A test of a dbt project did not hold.",
    "dbt-failed": "dbt could not build a model.",
    "check-failed": "A data quality check did not hold.",
    "step-failed": "The code of a step raised an error.",
    "run-killed": "The process of a run ended without a word.",
    "run-cancelled": "Somebody cancelled the run.",
    "pool-wait": "A step waits until another run gives a pool back.",
    "queue-wait": "The run waits in Dagster's queue: other runs have the pools or places that it needs.",
    "cannot-look": "A back end that knows more does not answer.",
    "unknown": "Nothing that is known fits; what was found good is listed.",
}
"""Every cause by its stable identifier, with what it means. Scripts may match on the identifiers."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a problem is about, or who suffers from it. A run is named by its id, an asset by its key."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence. `service` and `time` tell of a log line who wrote it and when."""

    label: str
    text: str
    service: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with its cause (a key of CAUSES) and what it leads to.

    `affects`: who only waits for it or suffers from it. `ruled_out`: what was checked and found good, where the cause
    is not known for certain.
    """

    subject: Subject
    cause: str
    summary: str
    evidence: tuple[Fact, ...] = ()
    affects: tuple[Subject, ...] = ()
    actions: tuple[Action, ...] = ()
    ruled_out: tuple[str, ...] = ()
