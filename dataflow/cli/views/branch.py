"""Branches of the warehouse, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataflow.cli.tables import ago, size, table, took

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.branch import BranchCreated, BranchDropped, BranchList
    from dataflow.operations.branch_files import Branch

_HOW = {"reflink": "sharing its blocks", "copy": "copied"}


def show_branches(console: Console, result: BranchList) -> None:
    """One line per branch, and which warehouse is used."""
    if not result.branches:
        console.print("No branches yet: `dataflow data branch create NAME` makes one.")
        return
    rows = [(b.name, _size(b), ago(b.created), b.base, ago(b.as_of), _where(b)) for b in result.branches]
    table(console, ["BRANCH", "#SIZE", "#AGE", "BASE", "#AS OF", "USED"], rows)
    used = next((b.path for b in result.branches if b.in_use), result.live)
    console.print(f"This project uses {used}.", soft_wrap=True)


def show_created(console: Console, result: BranchCreated) -> None:
    """What was made, and how to use it."""
    branch = result.branch
    how = f"{_HOW[result.method]} in {took(result.seconds)}"
    console.print(f"Branch {branch.name} of {branch.base}, {size(branch.bytes)}, {how}: {branch.path}", soft_wrap=True)
    if result.stale:
        console.print(f"A run holds {branch.base}: this is its snapshot of {ago(branch.as_of)} ago.")
    if result.use is None:
        console.print(f"It is the warehouse of {branch.worktree}: commands there use it.", soft_wrap=True)
    else:
        console.print(f"Use it in this shell: export {result.use}", soft_wrap=True)
        console.print("With the platform up: write that into .env without `export`, then `dataflow up`.")
    console.print(f"What it changed: `dataflow data diff {branch.base} {branch.name}`.")


def show_dropped(console: Console, result: BranchDropped) -> None:
    """What went."""
    console.print(f"Dropped {result.name}, {size(result.bytes)}: {result.path}", soft_wrap=True)


def show_path(console: Console, result: Branch) -> None:
    """The file alone, for scripts."""
    console.print(str(result.path), soft_wrap=True)


def _size(branch: Branch) -> str:
    return "gone" if branch.bytes is None else size(branch.bytes)


def _where(branch: Branch) -> str:
    return "here" if branch.in_use else str(branch.worktree or "-")
