"""What is wrong with the platform as a whole: the engine, the disk, the configuration, or that it is not up."""

from __future__ import annotations

import shutil

from dataflow.engines.port_plan import PortTakenError
from dataflow.errors import Action, BackendError, ConfigurationError, DataflowError, UsageError
from dataflow.operations.causes.looked import Looked
from dataflow.operations.causes.model import MOST_ACTIONS, Fact, Problem, Subject
from dataflow.operations.causes.service import disk

_LITTLE = {"docker": 500 << 20, "native": 10 << 20}
"""Bytes below which a disk counts as full: where `up` refuses, and where a run cannot write its log."""
_BY_CODE = {
    "ENGINE_DOWN": "engine-down",
    "NAME_TAKEN": "name-taken",
    "DISK_FULL": "disk-full",
    "IMAGE_MISSING": "image-missing",
}


def platform_problems(looked: Looked) -> list[Problem]:
    """Everything that is wrong with the whole, causes first."""
    ways = (_engine_down(looked), _disk_full(looked), _refused(looked))
    found = [problem for problem in ways if problem]
    if not found and not isinstance(looked.refused, PortTakenError):
        found += [problem] if (problem := _not_up(looked)) else []
    return found


def _engine_down(looked: Looked) -> Problem | None:
    if not looked.observed.trouble:
        return None
    refused = looked.refused
    actions = refused.actions if refused and refused.code == "ENGINE_DOWN" else ()
    actions = actions or (Action("Do without Docker", "dataflow up --engine native"),)
    return _made(looked, "engine-down", looked.observed.trouble, actions, _engine(looked))


def _disk_full(looked: Looked) -> Problem | None:
    root = looked.context.paths.root
    if shutil.disk_usage(root).free >= _LITTLE[looked.context.choice.name]:
        return None
    actions = [Action("See what is free", "df -h"), Action("See the backups, which may go", "dataflow backup list")]
    if looked.context.choice.name == "docker":
        actions.append(Action("See what Docker keeps", "docker system df"))
    return _made(looked, "disk-full", f"The disk of {root} is full.", tuple(actions), *disk(looked))


def _refused(looked: Looked) -> Problem | None:
    """What `up` would refuse at once, whatever runs now."""
    error = looked.refused
    if error is None or isinstance(error, PortTakenError) or looked.observed.trouble:
        return None
    facts = [Fact("at", str(error.place))] if error.place else []
    facts += [Fact("hint", error.hint)] if error.hint else []
    actions = error.actions or (Action("Check the configuration", "dataflow config validate"),)
    return _made(looked, _cause_of(error), error.message, actions, *facts)


def _cause_of(error: DataflowError) -> str:
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, ConfigurationError | UsageError):
        return "configuration-invalid"
    return "cannot-look" if isinstance(error, BackendError) else "unknown"


def _not_up(looked: Looked) -> Problem | None:
    if looked.observed.alive or looked.observed.processes:
        return None
    up = Action("Bring it up", "dataflow up")
    if looked.observed.leftovers:
        pids = Fact("left behind", f"{len(looked.observed.leftovers)} processes that nothing supervises")
        return _made(looked, "supervisor-gone", "The platform's supervisor is gone; its services run on.", (up,), pids)
    return _made(looked, "not-up", f"{looked.context.name} is not up.", (up,), _engine(looked))


def _engine(looked: Looked) -> Fact:
    return Fact("engine", f"{looked.context.choice.name} ({looked.context.choice.reason})")


def _made(looked: Looked, cause: str, summary: str, actions: tuple[Action, ...], *facts: Fact) -> Problem:
    return Problem(Subject("platform", looked.context.name), cause, summary, facts, actions=actions[:MOST_ACTIONS])
