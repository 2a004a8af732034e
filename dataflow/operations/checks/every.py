"""Every check there is, by its group and name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflow.config.validation import suggestion
from dataflow.errors import UsageError
from dataflow.operations.checks import docker, files, images, machine, network, packages, ports, project, state
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict

Look = Callable[[Subject], Verdict | list[Verdict]]
Key = tuple[str, str]
_CHECKS: dict[str, dict[str, Look]] = {
    "machine": {
        "python": machine.python,
        "clock": machine.clock,
        "memory": machine.memory,
        "disk": machine.disk,
        "localhost": network.localhost,
        "proxy": network.proxy,
        "terminal": machine.terminal,
    },
    "packages": {"packages": packages.packages, "programs": packages.programs, "running": packages.running},
    "project": {
        "engine": project.engine,
        "settings": project.settings,
        "env": project.env,
        "variables": project.variables,
        "secrets": project.secrets,
        "permissions": files.permissions,
        "folders": files.folders,
        "git": files.git,
        "ports": ports.ports,
    },
    "docker": {
        "docker-engine": docker.engine,
        "compose": docker.compose,
        "docker-context": docker.context,
        "docker-init": docker.init,
    },
    "images": {"present": images.present, "supply": images.supply},
    "state": {
        "platform": state.platform,
        "sockets": state.sockets,
        "partial-files": state.partial,
        "restore": state.restore,
        "stack-file": state.remembered,
        "upgrade": state.held,
        "other-engine": state.other_engine,
        "warehouse": state.warehouse,
    },
}


def names() -> list[str]:
    """Every group and every check."""
    return list(dict.fromkeys([*_CHECKS, *(name for checks in _CHECKS.values() for name in checks)]))


def choose(only: Sequence[str]) -> dict[Key, Look]:
    """The checks of these groups and with these names; all where none is given. Raises UsageError CHECK_UNKNOWN."""
    for word in only:
        if word not in names():
            hint = suggestion(word, names()) or f"There are the groups {', '.join(_CHECKS)}."
            raise UsageError(f"There is no check '{word}', and no group.", code="CHECK_UNKNOWN", hint=hint)
    return {
        (group, name): look
        for group, checks in _CHECKS.items()
        for name, look in checks.items()
        if not only or group in only or name in only
    }
