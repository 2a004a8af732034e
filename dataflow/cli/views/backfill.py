"""Backfills, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import count, state, table, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.backfill import Backfill, BackfillList
    from dataflow.operations.backfill_plans import BackfillPlan

_ROWS = 20


def show_plan(console: Console, plan: BackfillPlan) -> None:
    """What would run."""
    console.print(f"Would run {plan.workflow} for {count(len(plan.keys), 'partition')}, {plan.max_parallel} at a time.")
    for key in plan.keys[:_ROWS]:
        console.print(f"  {key}", soft_wrap=True)
    if len(plan.keys) > _ROWS:
        console.print(f"  and {len(plan.keys) - _ROWS} more, to {plan.keys[-1]}", soft_wrap=True)


def show_backfill(console: Console, result: Backfill) -> None:
    """How far it is; the partitions that need a look, or the first of those to come."""
    total = len(result.partitions)
    if not total:
        console.print(f"{result.workflow}: nothing to run, all of those partitions have succeeded before.")
        return
    done = result.count("success")
    if done == total:
        console.print(f"{result.workflow}: {count(total, 'partition')} succeeded, backfill {result.id}.")
        return
    console.print(f"{result.workflow}: {done} of {count(total, 'partition')} succeeded, backfill {result.id}.")
    left = [part for part in result.partitions if part.state != "success"]
    rows = [(part.key, state(part.state), (part.run_id or "-")[:8], took(part.seconds)) for part in left[:_ROWS]]
    table(console, ["PARTITION", "STATE", "RUN", "#TOOK"], rows)
    if len(left) > _ROWS:
        console.print(f"and {len(left) - _ROWS} more")


def show_list(console: Console, result: BackfillList) -> None:
    """The newest backfills."""
    if not result.backfills:
        console.print("No backfill yet: dataflow workflow backfill NAME --partitions A:B")
        return
    rows = [
        (
            one.id,
            one.workflow,
            str(len(one.partitions)),
            str(one.count("success")),
            str(one.count("failure", "canceled")),
            str(one.count("queued", "running")),
            str(one.count("waiting")),
        )
        for one in result.backfills
    ]
    table(console, ["BACKFILL", "WORKFLOW", "#PARTITIONS", "#DONE", "#FAILED", "#RUNNING", "#WAITING"], rows)
