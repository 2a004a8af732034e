"""Longer texts: what is shown of one thing when somebody asks for it. Pure functions from results to text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from dataflow.models import Finding, LogLine, ServiceStatus, WorkflowInfo
from dataflow_tui.feeds import Trouble
from dataflow_tui.signs import Look, service_state
from dataflow_tui.text import ago, clean, clock, one_line, size

if TYPE_CHECKING:
    from dataflow.operations.alerts import Alert
    from dataflow.operations.causes.model import Problem
    from dataflow.operations.validate import Validated
    from dataflow.operations.why import WhyResult

_LINES = 2000


def paragraphs(parts: Iterable[Text]) -> Text:
    """Texts below each other."""
    return Text("\n").join(parts)


def fields(pairs: Sequence[tuple[str, Text | str]], look: Look) -> Text:
    """Names and values, the values below each other."""
    wide = max((len(name) for name, _ in pairs), default=0)
    below = "\n" + " " * (wide + 2)
    return paragraphs(
        Text.assemble(
            (f"{name:<{wide}}  ", look.quiet), value if isinstance(value, Text) else clean(value).replace("\n", below)
        )
        for name, value in pairs
    )


def commands_text(commands: Iterable[tuple[str, str]], look: Look) -> list[Text]:
    """Commands that help, each with what it is for."""
    arrow, bold = ("  → ", look.quiet), f"bold {look.accent}"
    return [
        Text.assemble(arrow, (one_line(command), bold), (f"  {one_line(label)}", look.quiet))
        for label, command in commands
    ]


def why_text(found: WhyResult, look: Look) -> Text:
    """Root causes with their evidence."""
    notes = [Text(f"not known: {one_line(note)}", look.warn) for note in found.notes]
    if not found.problems:
        return paragraphs([Text("✓ Nothing is wrong.", look.good), *notes])
    parts: list[Text] = []
    for problem in found.problems:
        parts += [problem_text(problem, look), Text("")]
    return paragraphs([*parts, *notes])


def short_name(problem: Problem) -> str:
    """The name of what a problem is about, as `why` takes it: of a run the beginning of its id."""
    return problem.subject.name[:8] if problem.subject.kind == "run" else problem.subject.name


def subject_of(problem: Problem) -> str:
    """What a problem is about: service loki, run 41c3a9b2."""
    return f"{problem.subject.kind} {short_name(problem)}"


def problem_text(problem: Problem, look: Look) -> Text:
    """One problem: what, the evidence, who suffers, what helps."""
    subject = one_line(subject_of(problem), 80)
    parts = [Text.assemble(("✗ ", look.bad), (subject, "bold"), (f"  {problem.cause}", look.quiet))]
    parts.append(Text(f"  {clean(problem.summary)}", look.text))
    for fact in problem.evidence:
        who = f" ({one_line(fact.service, 40)})" if fact.service else ""
        parts.append(Text.assemble((f"  {one_line(fact.label, 40)}{who}: ", look.quiet), clean(fact.text, 2000)))
    if problem.affects:
        names = ", ".join(f"{one.kind} {one_line(one.name, 40)}" for one in problem.affects)
        parts.append(Text.assemble(("  suffers: ", look.quiet), names))
    if problem.ruled_out:
        parts.append(Text.assemble(("  found good: ", look.quiet), clean(", ".join(problem.ruled_out))))
    return paragraphs([*parts, *commands_text([(one.label, one.command) for one in problem.actions], look)])


def service_text(service: ServiceStatus, look: Look) -> Text:
    """Everything that is known of a service."""
    ports = "\n".join(
        f"{port.name} {port.number}" + (f" (wanted {port.wanted})" if port.number != port.wanted else "")
        for port in service.ports
    )
    pairs: list[tuple[str, Text | str]] = [
        ("name", service.name),
        ("state", look.state(service_state(service))),
        ("health", service.health),
        ("group", service.group),
        ("since", f"{clock(service.since)} ({ago(service.since)})" if service.since else "-"),
        ("restarts", str(service.restarts)),
        ("processor", f"{service.cpu:.1f} % of one" if service.cpu is not None else "-"),
        ("memory", size(service.memory)),
        ("ports", ports or "-"),
        ("page", service.url or "-"),
        ("process", str(service.pid) if service.pid else "-"),
        ("image", service.image or "-"),
    ]
    detail = [Text(""), Text(clean(service.detail), look.warn)] if service.detail else []
    return paragraphs([fields(pairs, look), *detail])


def workflow_text(workflow: WorkflowInfo, look: Look) -> Text:
    """What is known of a workflow without running it."""
    parameters = [
        f"{one.name} ({one.type}, default {'none' if one.default is None else one.default}) {one.description}".rstrip()
        for one in workflow.parameters
    ]
    pairs: list[tuple[str, Text | str]] = [
        ("description", workflow.description or "-"),
        ("owner", workflow.owner or "-"),
        ("schedule", workflow.schedule or "-"),
        ("tags", ", ".join(workflow.tags) or "-"),
        ("requires", ", ".join(workflow.requires) or "-"),
        ("secrets", ", ".join(workflow.secrets) or "-"),
        ("folder", str(workflow.folder)),
        ("assets", "\n".join(workflow.assets) or "-"),
        ("checks", "\n".join(workflow.checks) or "-"),
        ("parameters", "\n".join(parameters) or "-"),
    ]
    return paragraphs(
        Text.assemble((f"{name}\n", look.quiet), *(f"  {line}\n" for line in clean(value).splitlines()))
        if "\n" in str(value)
        else fields([(f"{name:<11}", value)], look)
        for name, value in pairs
    )


def finding_text(finding: Finding, look: Look) -> Text:
    """One finding: where, what, and what to do."""
    tone = look.bad if finding.severity == "error" else look.warn
    sign = "✗" if finding.severity == "error" else "▲"
    parts = [
        Text.assemble((f"{sign} {finding.rule}  ", tone), (clean(finding.place), look.accent)),
        Text(f"  {clean(finding.message)}", look.text),
    ]
    return paragraphs([*parts, *([Text(f"  {clean(finding.hint)}", look.quiet)] if finding.hint else [])])


def findings_text(found: Validated, look: Look) -> Text:
    """What is wrong with workflows."""
    names = ", ".join(found.workflows) or "no workflows"
    if not found.findings:
        return Text(f"✓ Nothing is wrong with {clean(names)}.", look.good)
    parts: list[Text] = []
    for finding in found.findings:
        parts += [finding_text(finding, look), Text("")]
    return paragraphs(parts)


def line_text(line: LogLine, look: Look) -> Text:
    """One line of a log, in all its lines."""
    tone = {"warning": look.warn, "error": look.bad, "critical": look.bad}.get(line.level, look.text)
    step = f"{one_line(line.step)} " if line.step else ""
    more = clean(str(line.context.get("exception") or ""))
    return Text.assemble(
        (f"{clock(line.timestamp)} ", look.quiet), (f"{one_line(line.level, 8):<8} ", tone), (step, look.quiet),
        (clean(line.message), tone), (f"\n{more}" if more else "", look.quiet),
    )  # fmt: skip


def lines_text(lines: Sequence[LogLine], look: Look) -> Text:
    """A run's log without what only developers read; the last lines where it is long."""
    told = [line for line in lines if line.level != "debug"]
    if not told:
        return Text("It has told nothing yet.", look.quiet)
    cut = len(told) - _LINES
    head = [Text(f"… {cut:,} lines before these: l follows all of them", look.quiet)] if cut > 0 else []
    return paragraphs([*head, *(line_text(line, look) for line in told[-_LINES:])])


def alert_text(alert: Alert, look: Look) -> Text:
    """Everything about an alert."""
    pairs: list[tuple[str, Text | str]] = [
        ("state", look.state(alert.state)),
        ("severity", alert.severity),
        ("summary", alert.summary),
        ("since", f"{clock(alert.since)} ({ago(alert.since)})"),
        ("labels", ", ".join(f"{name}={value}" for name, value in alert.labels.items()) or "-"),
        ("by", alert.by or "-"),
        ("comment", alert.comment or "-"),
        ("until", clock(alert.until)),
    ]
    helps = commands_text([("helps", alert.action)], look) if alert.action else []
    return paragraphs([fields(pairs, look), Text(""), *helps])


def trouble_text(trouble: Trouble, look: Look) -> Text:
    """An error: what, why, and the commands that help."""
    parts = [
        Text.assemble(("✗ ", look.bad), (clean(trouble.message, 4000), look.bad), (f"  {trouble.code}", look.quiet))
    ]
    parts += [Text(f"  {clean(trouble.hint, 4000)}", look.text)] if trouble.hint else []
    return paragraphs([*parts, *commands_text([("", command) for command in trouble.commands], look)])
