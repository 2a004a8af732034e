"""A new project, for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.operations.init import InitResult


HOW_TO_WORKFLOW = "https://github.com/dataflow-toolkit/dataflow/blob/main/docs/how-to/workflow.md"


def show_init(console: Console, result: InitResult) -> None:
    """What was made, and what to do next."""
    console.print(f"Made {result.name} in {result.root}: {len(result.files)} files.", soft_wrap=True)
    console.print("Next:")
    if result.root != Path.cwd():
        console.print(f"  cd {result.root}", soft_wrap=True)
    console.print("  dataflow up")
    if any(file.startswith("workflows/nightscout/") for file in result.files):
        console.print("  dataflow workflow run nightscout")
        console.print('  dataflow data query "from marts.nightscout_daily limit 5"')
    else:
        console.print("  write a workflow into workflows/:")
        console.print(f"  {HOW_TO_WORKFLOW}", soft_wrap=True)
