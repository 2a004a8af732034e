"""The result of `ci` for machines and for people: JUnit XML and Markdown."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree as ET

from dataflow.operations.ci import CiResult, CiStep
from dataflow.system.files import mapped_os_errors, write_text

_SIGNS = {"passed": "✓", "failed": "✗", "skipped": "-"}


def write_reports(result: CiResult, folder: Path) -> tuple[Path, Path]:
    """Write `summary.md` and `junit.xml` into `folder`; in GitHub Actions the summary also goes to the job's page."""
    summary, junit = folder / "summary.md", folder / "junit.xml"
    text = markdown(result)
    write_text(summary, text)
    write_text(junit, junit_xml(result))
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if page:
        with mapped_os_errors(Path(page)), Path(page).open("a", encoding="utf-8") as file:
            file.write(text)
    return summary, junit


def markdown(result: CiResult) -> str:
    """A table of the steps, why some failed, and what differs."""
    verdict = f"{len(result.failed)} of {len(result.steps)} steps failed" if result.failed else "all good"
    lines = [f"## dataflow ci: {result.project}, {verdict}", "", "| step | result | seconds |", "| --- | --- | ---: |"]
    lines += [f"| {step.name} | {_SIGNS[step.state]} {step.state} | {step.seconds:.1f} |" for step in result.steps]
    for step in result.failed:
        lines += ["", f"### {step.name}", "", "```text", f"{step.code}: {step.message}", "```"]
        lines += [f"- {case.workflow}: {case.name}: {case.message}" for case in step.cases if case.outcome == "failed"]
    if result.diff:
        lines += ["", f"### Data against {result.diff.before.path.name}", ""]
        lines += [
            f"- {one.table} {one.change}: {one.added} rows added, {one.removed} removed, {one.changed} changed"
            for one in result.diff.tables
        ]
        lines += [f"- {len(result.diff.same)} tables are the same"]
    return "\n".join(lines) + "\n"


def junit_xml(result: CiResult) -> str:
    """One suite of the steps, and one of the tests of workflows."""
    suites = ET.Element("testsuites", name="dataflow ci", time=f"{result.seconds:.1f}")
    suite = _suite(suites, "steps", [step.state for step in result.steps])
    for step in result.steps:
        _case(suite, "dataflow.ci", step.name, step.seconds, step.state, _reason(step))
    cases = [case for step in result.steps for case in step.cases]
    tests = _suite(suites, "workflow tests", [case.outcome for case in cases])
    for case in cases:
        _case(tests, case.workflow, case.name, case.seconds, case.outcome, case.message)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _reason(step: CiStep) -> str | None:
    return f"{step.code}: {step.message}" if step.code else step.message


def _suite(parent: ET.Element, name: str, states: list[str]) -> ET.Element:
    counts = {"failures": states.count("failed"), "skipped": states.count("skipped"), "errors": 0}
    facts = {key: str(value) for key, value in counts.items()}
    return ET.SubElement(parent, "testsuite", {"name": name, "tests": str(len(states)), **facts})


def _case(suite: ET.Element, group: str, name: str, seconds: float, state: str, message: str | None) -> None:
    case = ET.SubElement(suite, "testcase", classname=group, name=name, time=f"{seconds:.2f}")
    if state != "passed":
        ET.SubElement(case, "failure" if state == "failed" else "skipped", message=message or "").text = message
