"""Python packages against what the toolkit asks for, and the programs of native services."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from dataflow.operations.checks.subject import Subject
from dataflow.operations.checks.verdict import Verdict, passed, skipped

DISTRIBUTION = "dataflow-toolkit"
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[[^]]*\])?(?P<spec>[^;]*)(?P<condition>;.*)?")
_TESTS: dict[str, Callable[[Any, Any], bool]] = {"==": operator.eq, ">=": operator.ge, "<": operator.lt}
_CLAUSE = re.compile(r"(==|>=|<)\s*([\d.]+)")


def packages(_: Subject) -> Verdict | list[Verdict]:
    """Every package is here in a version that was asked for."""
    try:
        asked = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return skipped(f"The toolkit itself is not installed as {DISTRIBUTION}: nothing tells what it needs.")
    needed = [match for text in asked if (match := _REQUIREMENT.fullmatch(text)) and not match["condition"]]
    wrong = [verdict for match in needed if (verdict := _wrong(match["name"], match["spec"]))]
    return wrong or passed(f"{len(needed)} packages are as they should be.")


def programs(subject: Subject) -> Verdict | list[Verdict]:
    """The programs that native services are."""
    if subject.uses_docker:
        return skipped("Containers bring their own programs.")
    engine = subject.engine
    found = [
        Verdict(
            "fail", f"{name} cannot run: {why}.", f"Install it, or set services.{name}.enabled = false.", about=name
        )
        for name in engine.wanted
        if (why := engine.missing(name))
    ]
    return found or passed(f"The programs of {len(engine.wanted)} services are here.")


def running(subject: Subject) -> Verdict | list[Verdict]:
    """Services run the versions that are installed now."""
    if subject.uses_docker:
        return skipped("Containers bring their own packages.")
    if not subject.observed().alive:
        return passed("Nothing runs.")
    changed = [one for one in subject.engine.upgrader.versions(ask=False) if one.changes]
    words = "{0.name} was {0.before} when the services started; {0.after} is installed now."
    found = [Verdict("warn", words.format(one), None, "dataflow restart", one.name) for one in changed]
    return found or passed("Services run the packages that are installed.")


def satisfies(found: str, spec: str) -> bool:
    """Whether a version lies within `>=3.11,<3.14`; what else a specification says is not looked at."""
    now = _numbers(found)
    return all(_holds(now, how, _numbers(wanted)) for how, wanted in _CLAUSE.findall(spec))


def _wrong(name: str, spec: str) -> Verdict | None:
    command = f"pip install --force-reinstall '{name}{spec.strip()}'"
    try:
        found = version(name)
    except PackageNotFoundError:
        return Verdict("fail", f"{name} is not installed; {spec.strip()} is needed.", None, command, name)
    if satisfies(found, spec):
        return None
    hint = "What the toolkit does was tried with that version."
    return Verdict("fail", f"{name} is {found}; {spec.strip()} is needed.", hint, command, name)


def _holds(now: tuple[int, ...], how: str, wanted: tuple[int, ...]) -> bool:
    length = max(len(now), len(wanted))
    ours, theirs = ((*numbers, *[0] * (length - len(numbers))) for numbers in (now, wanted))
    return _TESTS[how](ours, theirs)


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, match[0].split("."))) if match else ()
