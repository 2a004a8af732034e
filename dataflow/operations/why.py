"""Why something does not work: the root cause instead of the symptom, with the evidence and what mends it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dataflow.clients.runs import last_of_each
from dataflow.config.validation import suggestion
from dataflow.engines.port_plan import PortTakenError
from dataflow.errors import Action, UsageError
from dataflow.operations.causes.looked import Looked, RunSeen, look
from dataflow.operations.causes.model import Fact, Problem, Subject
from dataflow.operations.causes.order import order
from dataflow.operations.causes.platform import platform_problems
from dataflow.operations.causes.run import run_problem, waits
from dataflow.operations.causes.service import service_problem
from dataflow.operations.causes.workflow import workflow_problems
from dataflow.operations.context import OBJECT_STORE, Context
from dataflow.operations.known_secrets import known_secrets
from dataflow.operations.status_parts import own_workflows
from dataflow.shared.redaction import Redactor
from dataflow.workflows.discovery import folders

_RUN_ID = re.compile(r"[0-9a-f][0-9a-f-]{2,35}|last")
_PATIENCE = timedelta(seconds=60)  # a run that waits for less is no trouble
_CARRIERS = {"dagster-daemon", "dagster-code"}
"""Services without which no queued run begins."""


@dataclass(frozen=True, slots=True)
class WhyResult:
    """What is wrong, causes first; nothing where all is well. `subject`: what was asked about, None for everything.

    `notes`: what could not be looked at, and why.
    """

    project: str
    time: datetime
    subject: Subject | None
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def why(context: Context, name: str | None = None) -> WhyResult:
    """Everything that is wrong now, or what is behind the trouble of a service, run, workflow or asset.

    Raises:
        UsageError: SUBJECT_UNKNOWN; nothing of the project is called so.
    """
    looked = look(context, run_id=name if name and _RUN_ID.fullmatch(name) else None)
    subject = _subject(looked, name) if name else None
    found = _everything(looked) if subject is None else _about(looked, subject)
    redactor = Redactor(known_secrets(context.paths))
    problems = tuple(_clean(redactor, problem) for problem in found)
    return WhyResult(context.name, datetime.now(UTC), subject, problems, tuple(map(redactor.text, looked.notes)))


def _everything(looked: Looked, *, patient: bool = True, optional: bool = False) -> list[Problem]:
    """All problems, causes first; what only suffers from one is listed under it.

    `patient`: runs that wait for a short time only are left out. `optional`: with services that cannot run here and
    that nobody waits for.
    """
    problems = platform_problems(looked)
    down = {"engine-down", "not-up", "supervisor-gone"} & {problem.cause for problem in problems}
    if down:
        problems[-1] = _suffering(looked, problems[-1], list(looked.services))
    whole = bool(down) or not looked.observed.alive
    problems += _services(looked, whole=whole, optional=optional)
    problems += workflow_problems(looked)
    for seen in _last_runs(looked):
        _add_run(looked, problems, seen, patient=patient)
    return problems


def _services(looked: Looked, *, whole: bool, optional: bool) -> Iterator[Problem]:
    """The services that are causes. While the `whole` is down, only those that keep it from coming up."""
    roots = order(looked.context.catalog, looked.services).roots
    refused = looked.refused
    blocking = {refused.service} if isinstance(refused, PortTakenError) else set[str]()
    misfits = {name for name, known in looked.examined.items() if known.misfit and name in looked.services}
    for name in [*roots, *(one for one in [*misfits, *blocking] if one not in roots and one in looked.services)]:
        suffering = list(roots.get(name, ()))
        lacking = looked.services[name].state == "unavailable" and looked.context.choice.name == "native"
        if whole and name not in {*blocking, *misfits}:
            continue
        if lacking and not suffering and not optional:
            continue
        yield _suffering(looked, service_problem(looked, name), suffering)


def _suffering(looked: Looked, problem: Problem, services: Sequence[str]) -> Problem:
    """The same with who suffers: these services, and the workflows that require any of them."""
    away = {*services, problem.subject.name}
    workflows = [info.name for info in looked.workflows.workflows if away & set(info.requires)]
    affects = [*(Subject("service", name) for name in services), *(Subject("workflow", name) for name in workflows)]
    return replace(problem, affects=(*problem.affects, *affects))


def _last_runs(looked: Looked) -> list[RunSeen]:
    """The last run of each workflow, and all that wait or run. Nobody can mend a workflow whose folder is gone."""
    read = looked.runs.read
    own = own_workflows(looked.context, looked.workflows.workflows)
    wanted = {run.id for run in last_of_each(list(looked.runs.runs)).values() if run.workflow in own}
    wanted |= {run.id for run in looked.runs.runs if waits(run) or run.state == "running"}
    return [read.get(run.id) or RunSeen.unread(run) for run in looked.runs.runs if run.id in wanted]


def _add_run(looked: Looked, problems: list[Problem], seen: RunSeen, *, patient: bool) -> None:
    """Add what is wrong with a run, or list the run under what it suffers from."""
    problem = run_problem(looked, seen)
    if problem is None:
        return
    subject = problem.subject
    for number, cause in enumerate(problems):
        if _explains(cause, problem, seen):
            problems[number] = replace(cause, affects=(*cause.affects, subject))
            return
    if not (patient and (problem.cause == "run-cancelled" or _is_brief(seen, problem))):
        problems.append(problem)


def _is_brief(seen: RunSeen, problem: Problem) -> bool:
    since = seen.blocked_since or seen.run.created
    brief = since is not None and datetime.now(UTC) - since < _PATIENCE
    return problem.cause in {"pool-wait", "queue-wait"} and brief


def _explains(cause: Problem, problem: Problem, seen: RunSeen) -> bool:
    """Whether a problem is the cause of a run's."""
    away = {subject.name for subject in (cause.subject, *cause.affects) if subject.kind == "service"}
    if problem.cause == "queue-wait":
        return bool(away & _CARRIERS)
    if cause.subject == Subject("workflow", seen.run.workflow):
        return cause.cause == "workflow-broken"
    if problem.cause == "store-down":
        return OBJECT_STORE in away
    return problem.cause == cause.cause and cause.cause in {"disk-full", "bad-password"}


def _about(looked: Looked, subject: Subject) -> list[Problem]:
    """The problems that are about a subject or that it suffers from."""
    if subject.kind == "run":
        return _about_run(looked, subject)
    everything = _everything(looked, patient=False, optional=True)
    names = {subject}
    if subject.kind == "service" and subject.name not in looked.services:
        words = f"{subject.name} is not among the services that the settings ask for."
        return [Problem(subject, "not-started", words, actions=(Action("Start it", f"dataflow start {subject.name}"),))]
    if subject.kind == "asset":
        return _about_asset(looked, subject, everything)
    if subject.kind == "workflow":
        names |= {Subject("run", one.run.id) for one in _last_runs(looked) if one.run.workflow == subject.name}
    return [one for one in everything if names & {one.subject, *one.affects}]


def _about_run(looked: Looked, subject: Subject) -> list[Problem]:
    """A run's own problem, or the one that explains it."""
    seen = looked.runs.read[subject.name]
    problem = run_problem(looked, seen)
    if problem is None:
        return []
    others = [one for one in _everything(looked) if one.subject.kind != "run"]
    return [
        replace(one, affects=tuple(dict.fromkeys((*one.affects, subject))))
        for one in others
        if _explains(one, problem, seen)
    ] or [problem]


def _about_asset(looked: Looked, subject: Subject, everything: Iterable[Problem]) -> list[Problem]:
    """What keeps the asset's workflow from working, as far as it concerns the asset: its own step or check, or none."""
    workflow = next(info.name for info in looked.workflows.workflows if subject.name in info.assets)
    last = next((one for one in _last_runs(looked) if one.run.workflow == workflow), None)
    steps = {step.name: step for step in last.progress.steps} if last else {}
    own = steps.get(subject.name.replace("/", "__"))
    checks = [check for check in last.progress.checks if check.name.startswith(f"{subject.name}:")] if last else []
    found: list[Problem] = []
    for one in everything:
        about_run = last is not None and one.subject == Subject("run", last.run.id)
        if about_run and (_spared(one, own is not None and own.state == "success", all(c.passed for c in checks))):
            continue
        if about_run:
            found.append(replace(one, subject=subject, evidence=(*_step_fact(own), *one.evidence)))
        elif {Subject("workflow", workflow)} & {one.subject, *one.affects}:
            found.append(one)
    return found


def _spared(problem: Problem, succeeded: bool, held: bool) -> bool:
    """Whether a run's problem leaves an asset alone: its step succeeded, its checks held."""
    return held and (problem.cause == "check-failed" or succeeded)


def _step_fact(own: object) -> tuple[Fact, ...]:
    state = getattr(own, "state", None)
    return (Fact("its step", str(state)),) if state else (Fact("its step", "did not begin"),)


def _subject(looked: Looked, name: str) -> Subject:
    """What is called so: a service, a workflow, an asset, or a run by the beginning of its id."""
    infos = looked.workflows.workflows
    assets = [key for info in infos for key in info.assets]
    workflows = {info.name for info in infos} | {folder.name for folder in folders(looked.context.paths.workflows)}
    if name in looked.services or name in looked.context.catalog:
        return Subject("service", name)
    if name in workflows:
        return Subject("workflow", name)
    key = name if name in assets else "/".join(re.findall(r"[^\[\]\"', /]+", name))
    if key in assets:
        return Subject("asset", key)
    if _RUN_ID.fullmatch(name):
        ids = [run.id for run in looked.runs.runs[:1] if name == "last"]
        ids = ids or [run.id for run in looked.runs.runs if run.id.startswith(name)]
        if len(ids) == 1 and ids[0] in looked.runs.read:
            return Subject("run", ids[0])
    raise _unknown(looked, name, [*looked.services, *workflows, *assets])


def _unknown(looked: Looked, name: str, names: list[str]) -> UsageError:
    actions = (
        Action("See the services", "dataflow status"),
        Action("See the workflows", "dataflow workflow list"),
        Action("See the runs", "dataflow workflow runs"),
    )
    hint = suggestion(name, names) or " ".join(looked.notes) or None
    message = f"There is no service, workflow, asset or run called '{name}'."
    return UsageError(message, code="SUBJECT_UNKNOWN", hint=hint, actions=actions)


def _clean(redactor: Redactor, problem: Problem) -> Problem:
    """The problem without secrets."""
    evidence = tuple(replace(fact, text=redactor.text(fact.text)) for fact in problem.evidence)
    return replace(problem, summary=redactor.text(problem.summary), evidence=evidence)
