"""The alert rules as values, and as the file that Prometheus reads."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from dataflow.operations.moments import span

Severity = Literal["critical", "warning"]
Comparison = Literal["==", "!=", ">", "<", ">=", "<="]
_FIELD = re.compile(r"\{(\w+)\}")
_HEAD = "# Made by docs/generate.py from dataflow/operations/alerting/rules.toml. Do not edit.\n"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; rules.toml says what its parts mean. Lengths of time are in seconds."""

    name: str
    severity: Severity
    metric: str
    comparison: Comparison
    value: float
    summary: str
    action: str
    where: dict[str, str] = field(default_factory=dict[str, str])
    increase: float | None = None
    age: bool = False
    per: str | None = None
    times: str | None = None
    plus: float = 0.0
    hold: float = 0.0

    @property
    def expression(self) -> str:
        """The rule in PromQL."""
        matchers = ", ".join(f'{label}=~"{pattern}"' for label, pattern in self.where.items())
        left = self.metric + (f"{{{matchers}}}" if matchers else "")
        left = f"increase({left}[{self.increase:g}s])" if self.increase else left
        left = f"time() - {left}" if self.age else left
        left = f"{left} / {self.per}" if self.per else left
        right = f"{self.value:.10g}" + (f" * {self.times}" if self.times else "")
        return f"{left} {self.comparison} {right}" + (f" + {self.plus:g}" if self.plus else "")


@cache
def load_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the file."""
    data = tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
    return tuple(_rule(entry) for entry in data["rules"])


def _rule(entry: dict[str, Any]) -> Rule:
    values = {key: value for key, value in entry.items() if key not in {"is", "for", "increase"}}
    grown = _seconds(entry["increase"]) if "increase" in entry else None
    return Rule(**values, comparison=entry["is"], hold=_seconds(entry.get("for", "0s")), increase=grown)


def _seconds(text: str) -> float:
    found = span(text)
    if found is None:
        raise AssertionError(f"'{text}' in rules.toml is no length of time")
    return found.total_seconds()


def filled(text: str, labels: dict[str, str]) -> str:
    """A rule's text with the values of labels."""
    return _FIELD.sub(lambda match: labels.get(match[1], ""), text)


def prometheus_file() -> str:
    """rules.yml. Prometheus' own templates stand where ours do."""
    parts = [_HEAD, "groups:\n  - name: dataflow\n    interval: 10s\n    rules:\n"]
    return "".join([*parts, *map(_entry, load_rules())])


def _entry(rule: Rule) -> str:
    lines = [
        f"- alert: {rule.name}",
        f"  expr: {_quoted(rule.expression)}",
        *([f"  for: {rule.hold:g}s"] if rule.hold else []),
        f"  labels: {{severity: {rule.severity}}}",
        "  annotations:",
        f"    summary: {_quoted(_templated(rule.summary))}",
        f"    action: {_quoted(_templated(rule.action))}",
    ]
    return "".join(f"      {line}\n" for line in lines)


def _templated(text: str) -> str:
    return _FIELD.sub(r"{{ $labels.\1 }}", text)


def _quoted(text: str) -> str:
    """A YAML string in single quotes, in which nothing has another meaning."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
