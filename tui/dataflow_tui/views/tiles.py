"""The tiles of the overview: pure functions from the status to text."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from dataflow_tui.prose import fields
from dataflow_tui.signs import Look, service_state
from dataflow_tui.text import ago, one_line, size, span, spark

if TYPE_CHECKING:
    from dataflow.operations.status import StatusResult

_MOST = 6


@dataclass(frozen=True, slots=True)
class Seen:
    """Samples of the last while: percent of a processor, and bytes of memory, of all services together."""

    cpu: deque[float]
    memory: deque[float]

    def add(self, status: StatusResult) -> None:
        """One more sample."""
        self.cpu.append(sum(one.cpu or 0.0 for one in status.services))
        self.memory.append(float(sum(one.memory or 0 for one in status.services)))


def tiles(status: StatusResult, seen: Seen, look: Look) -> dict[str, Text]:
    """Every tile by its name."""
    return {
        "services": services(status, look),
        "runs": runs(status, look),
        "data": data(status, look),
        "alerts": alerts(status, look),
        "machine": machine(status, seen, look),
    }


def services(status: StatusResult, look: Look) -> Text:
    """How many are in which state, and those that are not as they should be by name."""
    counted = Counter(service_state(one) for one in status.services)
    lines = [Text("  ").join(Text(f"{number} ") + look.state(state) for state, number in counted.most_common())]
    wrong = [one for one in status.services if service_state(one) not in {"running", "completed", "unavailable"}]
    lines += [look.state(service_state(one)) + Text(f"  {one_line(one.name, 40)}", look.text) for one in wrong[:_MOST]]
    if status.note:
        lines.append(Text(one_line(status.note), look.warn))
    return Text("\n").join(lines)


def runs(status: StatusResult, look: Look) -> Text:
    """The last run of each workflow."""
    if not status.workflows:
        return Text("No workflows yet: `dataflow workflow init` makes one.", look.quiet)
    lines: list[Text] = []
    for one in status.workflows[:_MOST]:
        run = one.last_run
        state = look.state(run.state) if run else Text("○ never ran", look.quiet)
        when = f"  {ago(run.ended or run.started or run.created)}" if run else ""
        took = f", took {span(run.seconds)}" if run and run.seconds is not None else ""
        lines.append(Text.assemble(state, " ", (one_line(one.name, 40), "bold"), (when + took, look.quiet)))
    more = len(status.workflows) - _MOST
    return Text("\n").join([*lines, *([Text(f"and {more} more", look.quiet)] if more > 0 else [])])


def data(status: StatusResult, look: Look) -> Text:
    """Assets, checks, the warehouse and its backup."""
    assets, checks, house, backup = status.assets, status.checks, status.warehouse, status.backup
    stale = Text(f"▲ {len(assets.stale)} stale", look.warn) if assets.stale else Text(f"✓ {assets.known}", look.good)
    bad = Text(f"✗ {len(checks.failing)} failing", look.bad) if checks.failing else Text(f"✓ {checks.known}", look.good)
    saved = f"{ago(backup.created)} ({backup.number})" if backup.created else "none yet"
    pairs: list[tuple[str, Text | str]] = [
        ("assets", _or(assets.trouble, stale, look)),
        ("checks", _or(checks.trouble, bad, look)),
        ("warehouse", _or(house.trouble, f"{size(house.bytes)}, snapshot {ago(house.snapshot)}", look)),
        ("backup", _or(backup.trouble, saved, look)),
    ]
    return fields(pairs, look)


def alerts(status: StatusResult, look: Look) -> Text:
    """What fires, or that nothing does."""
    found = status.alerts
    if found.trouble:
        return Text(f"? {one_line(found.trouble)}", look.warn)
    if not found.evaluated:
        return Text("? Nobody evaluates the rules now.", look.warn)
    if not found.open:
        return Text(f"✓ None. {found.pending} pending, {found.handled} handled.", look.good)
    lines = [Text.assemble((f"▲ {one.name} ", look.bad), one_line(one.summary, 90)) for one in found.open[:_MOST]]
    return Text("\n").join(lines)


def machine(status: StatusResult, seen: Seen, look: Look) -> Text:
    """Processor and memory of all services, and the disk."""
    disk = status.disk
    tone = look.text if disk.state == "good" else look.bad
    left = Text(f"{size(disk.free)} free of {size(disk.total)}", tone)
    known = any(one.cpu is not None for one in status.services)
    cpu = f"{seen.cpu[-1]:5.1f} % of one  " if known else "not known"
    memory = seen.memory[-1] if seen.memory else 0.0
    pairs: list[tuple[str, Text | str]] = [
        ("processor", Text.assemble(cpu, (spark(list(seen.cpu), 20) if known else "", look.accent))),
        ("memory", Text.assemble(f"{size(int(memory)):>7}  ", (spark(list(seen.memory), 20), look.accent))),
        ("disk", _or(disk.trouble, left, look)),
    ]
    return fields(pairs, look)


def _or(trouble: str, else_: Text | str, look: Look) -> Text | str:
    return Text(f"? {one_line(trouble, 100)}", look.warn) if trouble else else_
