"""What the user wrote: dataflow.toml, .env, variables and secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dataflow.config.environment import SECRETS, ensure_secrets
from dataflow.config.settings import PREFIX, VARIABLES, leaves, variable_of
from dataflow.config.validation import suggestion
from dataflow.errors import DataflowError
from dataflow.models import Finding
from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Cure, Verdict, judged, passed, skipped

_VALIDATE = "dataflow config validate"


def engine(subject: Subject) -> Verdict:
    """Which engine, and why; natively only because Docker is there and cannot be used is told."""
    choice = subject.choice()
    words = f"{choice.name}: {choice.reason}."
    lacks = (
        subject.lacks() if "auto:" in choice.reason and choice.name == "native" and not subject.stack.engine else None
    )
    if lacks and "no `docker` command" not in lacks:
        return Verdict("warn", words, "A new project takes Docker where it can be used.", "dataflow engine show")
    return passed(words)


def settings(subject: Subject) -> Verdict | list[Verdict]:
    """dataflow.toml and the services that it speaks of."""
    ours, env = _split(subject)
    if ours:
        return [_told(finding) for finding in ours]
    return skipped("It is looked at once .env is valid.") if env else passed(f"{subject.paths.config.name} is valid.")


def env(subject: Subject) -> Verdict | list[Verdict]:
    """.env: every line can be read, and every variable of ours is known."""
    if not subject.paths.env.is_file():
        return passed("There is none yet; `dataflow up` makes one.")
    _, findings = _split(subject)
    return [_told(finding) for finding in findings] or passed(".env is valid.")


def variables(subject: Subject) -> Verdict | list[Verdict]:
    """Our variables in the environment: values fit, and no name is nearly one that there is."""
    if not subject.findings():  # what the files say is told by the checks of files
        try:
            _ = subject.loaded
        except DataflowError as error:
            return judged(error)
    known = {*VARIABLES, *(variable_of(key) for key in leaves())}
    unknown = {
        name for name in os.environ if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}SERVICES_")
    } - known
    odd = [
        Verdict("warn", f"The environment variable {name} means nothing.", near, f"unset {name}", name)
        for name in sorted(unknown)
        if (near := _near(name, known))
    ]
    return odd or passed("Variables of the environment are as they should be.")


def _near(name: str, known: set[str]) -> str | None:
    """What was probably meant, told by what follows the prefix: that alone would make all names alike."""
    found = suggestion(name.removeprefix(PREFIX), {other.removeprefix(PREFIX) for other in known})
    return found.replace("'", f"'{PREFIX}", 1) if found else None


def secrets(subject: Subject) -> list[Verdict]:
    """Every credential of the services is there, and what workflows require."""
    env = {**subject.loaded.env, **os.environ}
    missing = [name for name in SECRETS if name not in env]
    empty = [name for name in SECRETS if name in env and not env[name]]
    found = [
        Verdict("fail", f"{name} is empty.", "Remove the line: `dataflow up` makes a value.", about=name)
        for name in empty
    ]
    if missing:
        words = f"{len(missing)} of {len(SECRETS)} credentials of the services are not made yet."
        cure = Cure(
            "made the missing credentials in .env", lambda report: ensure_secrets(subject.paths, subject.loaded, report)
        )
        found.append(Verdict("warn", words, "`dataflow up` makes them, too.", "dataflow doctor --fix", cure=cure))
    found += _of_workflows(subject, env)
    return found or [passed("Every credential is there.")]


def _of_workflows(subject: Subject, env: dict[str, str]) -> Iterator[Verdict]:
    """Manifests that cannot be read are told of by `dataflow config validate`."""
    from dataflow.workflows.manifest import load_manifest

    for file in sorted(subject.paths.workflows.glob("*/config.yaml")):
        try:
            declared = load_manifest(file.parent).secrets
        except DataflowError:
            continue
        for secret in declared:
            if secret.required and not env.get(secret.name):
                words = f"The workflow {file.parent.name} needs {secret.name}, which nobody has set."
                yield Verdict("warn", words, secret.description or None, f"echo '{secret.name}=…' >> .env", secret.name)


def _split(subject: Subject) -> tuple[list[Finding], list[Finding]]:
    """The findings in dataflow.toml and services, and those in .env."""
    findings = subject.findings()
    env = [finding for finding in findings if finding.place.path == subject.paths.env]
    return [finding for finding in findings if finding not in env], env


def _told(finding: Finding) -> Verdict:
    place = finding.place
    where = f"{place.path.name}{f':{place.line}' if place.line else ''}"
    return Verdict("fail", f"{where}: {finding.message}", finding.hint, _VALIDATE, where)
