"""Docker: does the engine answer, is it new enough, whose machine is it on, and is Compose there."""

from __future__ import annotations

from dataflow.engines.daemon import Daemon
from dataflow.engines.docker_checks import require_new_enough
from dataflow.errors import DataflowError
from dataflow.operations.checks.subject import PATIENCE, Subject
from dataflow.operations.checks.verdict import Verdict, judged, passed, skipped

_NOT_NEEDED = "The native engine needs no Docker."
_LOCAL = ("unix://", "npipe://")


def engine(subject: Subject) -> Verdict:
    """The engine answers, and is new enough."""
    if not subject.uses_docker:
        return skipped(_NOT_NEEDED)
    try:
        seen = subject.docker()
        require_new_enough(seen.version, seen.endpoint)
    except DataflowError as error:
        return judged(error)
    return passed(f"Docker Engine {seen.version.get('Version')} (API {seen.version.get('ApiVersion')}) answers.")


def compose(subject: Subject) -> Verdict:
    """Compose is there, and new enough."""
    if not subject.uses_docker:
        return skipped(_NOT_NEEDED)
    try:
        return passed(f"Docker Compose {subject.compose()}.")
    except DataflowError as error:
        return judged(error)


def context(subject: Subject) -> Verdict:
    """The engine runs where the project's files are: containers mount them, and publish ports there."""
    if not subject.uses_docker:
        return skipped(_NOT_NEEDED)
    endpoint = subject.docker().endpoint
    local = endpoint.host.startswith(_LOCAL)
    here = "DOCKER_CONTEXT=default dataflow doctor"
    if not Daemon(PATIENCE).sees(subject.paths.config):
        message = f"The engine at {endpoint} does not have this project's files."
        hint = "Containers mount the project's folder: work on the engine's machine, or use the engine of this one."
        return Verdict("fail", message, hint, here)
    if not local:
        message = f"The engine at {endpoint} may be on another machine."
        hint = "It has a file of this project's at the same place; ports are published on its machine's loopback."
        return Verdict("warn", message, hint, here)
    return passed(f"{endpoint}: this machine.")


def init(subject: Subject) -> Verdict:
    """`docker-init` is there: every container begins with it."""
    if not subject.uses_docker:
        return skipped(_NOT_NEEDED)
    info = subject.docker().info
    binary = str(info.get("InitBinary") or "")
    if binary and (info.get("InitCommit") or {}).get("ID") != "N/A":
        return passed(f"The engine has {binary}.")
    hint = "Every service begins with it (`init: true`). It comes with Docker, or as the package tini."
    return Verdict("fail", "The engine does not find its docker-init.", hint, "docker info --format '{{.InitBinary}}'")
