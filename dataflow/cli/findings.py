"""Findings in the formats that people, GitHub and code scanners read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataflow import __version__
from dataflow.cli.errors import show_place

if TYPE_CHECKING:
    from rich.console import Console

    from dataflow.models import Finding

Format = Literal["text", "json", "github", "sarif"]


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Each with its line and what to do."""
    for finding in findings:
        console.print(f"{finding.severity} {finding.rule}: {finding.message}", soft_wrap=True)
        show_place(console, finding.place)
        if finding.hint:
            console.print(f"  {finding.hint}", soft_wrap=True)


def show_github(console: Console, findings: Sequence[Finding], root: Path) -> None:
    """Workflow commands that GitHub shows beside the lines (docs.github.com: workflow commands for Actions)."""
    for finding in findings:
        place = finding.place
        path = _below(place.path, root)
        where = f"file={path},line={place.line or 1}" + (f",col={place.column}" if place.column else "")
        text = f"{finding.message} {finding.hint or ''}".strip().replace("%", "%25").replace("\n", "%0A")
        console.print(f"::{finding.severity} {where},title={finding.rule}::{text}", soft_wrap=True)


def sarif(findings: Sequence[Finding], root: Path) -> dict[str, Any]:
    """A log of SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), paths relative to the project."""
    rules = sorted({finding.rule for finding in findings})
    driver = {"name": "dataflow", "version": __version__, "rules": [{"id": rule} for rule in rules]}
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": rules.index(finding.rule),
            "level": finding.severity,
            "message": {"text": f"{finding.message} {finding.hint or ''}".strip()},
            "locations": [{"physicalLocation": _location(finding, root)}],
        }
        for finding in findings
    ]
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return {"$schema": schema, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def shower(format_: Format, root: Path, good: str) -> Callable[[Console, Any], None]:
    """Shows whatever has `findings` in this format; `good` is said where there are none."""

    def show(console: Console, result: Any) -> None:
        findings: tuple[Finding, ...] = result.findings
        if format_ == "github":
            show_github(console, findings, root)
        elif format_ == "sarif":
            console.print(json.dumps(sarif(findings, root), indent=2), soft_wrap=True)
        else:
            show_findings(console, findings)
            if not findings:
                console.print(good, soft_wrap=True)

    return show


def _location(finding: Finding, root: Path) -> dict[str, Any]:
    place = finding.place
    region: dict[str, Any] = {"startLine": place.line or 1}
    if place.column:
        region["startColumn"] = place.column
    if place.snippet:
        region["snippet"] = {"text": place.snippet}
    return {"artifactLocation": {"uri": _below(place.path, root)}, "region": region}


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
