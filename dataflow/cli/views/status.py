"""The status for people: one screen, what is wrong in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataflow.cli.tables import ago, count, size, span, state, table, took
from dataflow.cli.views.stack import condition

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dataflow.operations.status import StatusResult
    from dataflow.operations.status_parts import (
        AlertsStatus,
        AssetsStatus,
        BackupStatus,
        ChecksStatus,
        DataStatus,
        DiskStatus,
        WorkflowStatus,
    )

_WIDE = 110
_MOST = 5
_WARNS = {"error": "", "warning": " (warns)"}


def show_status(console: Console, result: StatusResult) -> None:
    """Services, workflows, data."""
    from rich.text import Text

    console.print(Text.assemble(f"{result.project} is ", state(result.state), f" · {result.engine.name} engine"))
    console.print()
    _show_services(console, result)
    for service in result.services:
        if service.detail:
            console.print(f"  {service.name}: {service.detail}")
    console.print()
    _show_workflows(console, result)
    rows = [("assets", _assets(result.assets)), ("checks", _checks(result.checks)), ("disk", _disk(result.disk))]
    rows += [("warehouse", _warehouse(result.warehouse)), ("backup", _backup(result.backup))]
    rows += [("alerts", _alerts(result.alerts))]
    table(console, ["DATA", ""], [(name, text) for name, text in rows if text])


def _show_services(console: Console, result: StatusResult) -> None:
    """With the restarts where there were any, and images in a wide terminal: the table fits 80 columns without them."""
    restarted = any(service.restarts for service in result.services)
    containers = result.engine.name == "docker"
    images = containers and console.width >= _WIDE
    columns = ["SERVICE", "STATE", "#SINCE", "#CPU" if containers else "#PID", "#MEMORY"]
    columns += [*(["#↻"] if restarted else []), "URL", *(["IMAGE"] if images else [])]
    rows = [
        (
            s.name,
            state(condition(s)),
            ago(s.since),
            ("-" if s.cpu is None else f"{s.cpu:.1f} %") if containers else str(s.pid or "-"),
            size(s.memory),
            *([str(s.restarts or "")] if restarted else []),
            (s.url or "") if s.state == "running" else "",
            *([s.image or ""] if images else []),
        )
        for s in result.services
    ]
    table(console, columns, rows)


def _show_workflows(console: Console, result: StatusResult) -> None:
    if result.workflows:
        rows = [_workflow_row(item) for item in result.workflows]
        table(console, ["WORKFLOW", "LAST RUN", "#AGO", "#TOOK", "RUN"], rows)
    elif not result.note:
        console.print("No workflows yet.")
    if result.note:
        console.print(f"  {result.note}")
    console.print()


def _workflow_row(item: WorkflowStatus) -> tuple[str | Text, ...]:
    run = item.last_run
    if run is None:
        return item.name, "-", "-", "-", ""
    return item.name, state(run.state), ago(run.created), took(run.seconds), run.id[:8]


def _assets(found: AssetsStatus) -> str:
    """How many, and which are stale, each with its age and what it may have."""
    if found.trouble or not found.known:
        return found.trouble
    if not found.stale:
        return count(found.known, "asset") + (f", none of {found.judged} stale" if found.judged else "")
    names = "".join(f"\n{one.key}: {ago(one.computed)} old, at most {span(one.allowed)}" for one in found.stale[:_MOST])
    return f"{len(found.stale)} of {count(found.known, 'asset')} stale{names}{_more(found.stale)}"


def _checks(found: ChecksStatus) -> str:
    if found.trouble or not found.known:
        return found.trouble
    if not found.failing:
        return "1 check, it holds" if found.known == 1 else f"{count(found.known, 'check')}, all hold"
    names = "".join(f"\n{one.asset}:{one.name}{_WARNS[one.severity]}" for one in found.failing[:_MOST])
    return f"{len(found.failing)} of {count(found.known, 'check')} failing{names}{_more(found.failing)}"


def _disk(found: DiskStatus) -> str:
    word = "" if found.state == "good" else f": {found.state}"
    return found.trouble or f"{size(found.free)} of {size(found.total)} free{word}"


def _warehouse(found: DataStatus) -> str:
    snapshot = f", snapshot {ago(found.snapshot)} old" if found.snapshot else ""
    return found.trouble or f"{size(found.bytes) if found.bytes else 'empty'}{snapshot}"


def _backup(found: BackupStatus) -> str:
    if found.trouble or not found.newest:
        return found.trouble or "none"
    return f"{ago(found.created)} old, {found.number} in all"


def _alerts(found: AlertsStatus) -> str:
    """Which fire and nobody has seen to, and how many are on their way or seen to."""
    if found.trouble or not found.evaluated:
        return found.trouble
    others = [f"{found.pending} pending" if found.pending else "", f"{found.handled} seen to" if found.handled else ""]
    firing = f"{len(found.open)} firing" if found.open else "none firing"
    names = "".join(f"\n{one.name}: {one.summary}" for one in found.open[:_MOST])
    return ", ".join([firing, *filter(None, others)]) + names + _more(found.open)


def _more(items: Sequence[object]) -> str:
    return f"\nand {len(items) - _MOST} more" if len(items) > _MOST else ""
