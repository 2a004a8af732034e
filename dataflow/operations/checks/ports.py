"""The ports of the wanted services: free, our own, or somebody else's."""

from __future__ import annotations

from dataflow.errors import MissingError
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict, counted, judged, passed


def ports(subject: Subject) -> Verdict | list[Verdict]:
    """Each wanted port can be had. One that nobody configured steps aside, which is only told."""
    seen = subject.observed()
    try:
        assigned, moved = subject.engine.assign_ports(seen)
    except MissingError as error:
        if error.code != "PORT_TAKEN":
            raise
        return judged(error)
    if moved:
        return [
            Verdict(
                "warn",
                f"{move.service} would take port {move.number}: {move.wanted} is held by {move.holder}.",
                "Stop that program, or leave it: `dataflow up` moves by itself.",
                about=f"{move.service}.{move.port}",
            )
            for move in moved
        ]
    number = sum(len(uses) for uses in assigned.values())
    held = sum(len(uses) for name, uses in assigned.items() if name in seen.processes and seen.processes[name].running)
    return passed(f"{counted(number, 'port')}: {held} held by this platform, {number - held} free.")
