# noqa: INP001 - a script beside the pages, not a package
"""Write the reference pages that the code knows best: commands, configuration, services, errors, metrics, keys, alert
rules.

`python docs/generate.py` writes them; `--check` only says which are out of date. A contract test does the same.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

sys.path.insert(0, str(Path(__file__).parent))

import key_page
import service_pages

from dataflow import errors
from dataflow.cli.app import COMMANDS, root
from dataflow.cli.exit_codes import exit_code
from dataflow.cli.frame import shared_options
from dataflow.cli.help import argument, option, split
from dataflow.config.keys import described
from dataflow.config.services import Block
from dataflow.config.settings import VARIABLES, ServiceSettings, explained, variable_of
from dataflow.operations.alerting.rules import load_rules, prometheus_file
from dataflow.operations.exporter.metrics import METRICS

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
SOURCE = DOCS.parent / "dataflow"
RULES = DOCS.parent / "compose" / "services" / "prometheus" / "rules.yml"
HEAD = "<!-- Written by docs/generate.py. Do not edit. -->\n"
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
Rows = list[tuple[str, ...]]


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    texts = {
        "commands": _commands(),
        "configuration": _configuration(),
        "services": _services(),
        "errors": _errors(),
        "metrics": _metrics(),
        "keys": key_page.text(),
    }
    found = {REFERENCE / f"{name}.md": text for name, text in texts.items()}
    found |= {DOCS / "services" / f"{name}.md": text for name, text in service_pages.texts(words()["services"]).items()}
    made = {path: f"{HEAD}\n{text.strip()}\n" for path, text in found.items()}
    return {**made, RULES: prometheus_file()}


def words() -> dict[str, dict[str, dict[str, str]]]:
    """The sentences that people wrote for codes, rules and service keys."""
    return tomllib.loads((DOCS / "words.toml").read_text(encoding="utf-8"))


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, `workflow run`, with its Typer command."""
    tree = root()
    for name in COMMANDS:
        loaded = tree.load_command(name)
        below = getattr(loaded, "commands", None)
        if below is None:
            yield name, loaded
        else:
            yield from ((f"{name} {inner}", command) for inner, command in below.items())


def error_codes() -> dict[str, set[int]]:
    """Every error code in the code with the exit codes it may end in, read from the syntax trees."""
    found: dict[str, set[int]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for code, kind in _codes_in(tree):
            found.setdefault(code, set()).add(int(exit_code(kind("x"))))
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.DataflowError):
            found.setdefault(kind.default_code, set()).add(int(exit_code(kind("x"))))
    return found


def _codes_in(tree: ast.Module) -> Iterator[tuple[str, type[errors.DataflowError]]]:
    """Codes of `SomeError(…, code="X")`. Where a code comes from a variable, any constant of the module may be it."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases)
    local = {node.name: getattr(node.bases[0], "id", "") for node in classes}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", "")
        kind = getattr(errors, local.get(name, name), None)
        value = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
        if not isinstance(kind, type) or value is None:
            continue
        where: ast.AST = tree if isinstance(value, ast.Name) else value
        yield from ((text, kind) for text in _constants(where) if not text.startswith("DATAFLOW_"))


def _constants(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        text = inner.value if isinstance(inner, ast.Constant) else None
        if isinstance(text, str) and (CODE.fullmatch(text) or (inner is node and text.isupper())):
            yield text


def _commands() -> str:
    parts = [
        "# Commands",
        "Every command takes these options, before or after its name:",
        _table(("option", "what it does"), [_option(param) for param in shared_options()]),
        "`dataflow --version` prints the version. Results and exit codes: [JSON contract](json.md).",
    ]
    group = ""
    for name, command in commands():
        first, _, rest = name.partition(" ")
        if rest and first != group:
            group = first
            parts.append(f"## {first}\n\n{COMMANDS[first][1]}")
        parts.append(_command(name, command))
    return "\n\n".join(parts)


def _command(name: str, command: Any) -> str:
    own = [param for param in command.params if param.name not in {shared.name for shared in shared_options()}]
    text, lines = split(command.help or "")
    bare = [param for param in own if not param.opts[0].startswith("-")]
    arguments = [(f"`{argument(param)}`", param.help or "") for param in bare]
    options = [_option(param) for param in own if param not in bare]
    usage = " ".join([f"dataflow {name}", *(["[OPTIONS]"] if options else []), *map(argument, bare)])
    return "\n\n".join(
        [
            f"{'###' if ' ' in name else '##'} dataflow {name}",
            text.strip(),
            f"```text\n{usage}\n```",
            *([_table(("argument", "what it is"), arguments)] if any(row[1] for row in arguments) else []),
            *([_table(("option", "what it does"), options)] if options else []),
            "```console\n" + "\n".join(lines) + "\n```",
        ]
    )


def _option(param: Any) -> tuple[str, str]:
    default = param.default if not param.is_flag and param.default not in (None, "", []) else None
    note = f" Default: {default}." if default is not None and "Default" not in (param.help or "") else ""
    return f"`{option(param)}`", f"{param.help or ''}{note}"


def _configuration() -> str:
    keys: Rows = []
    for key, field in explained().items():
        if key != "services":
            default = "" if field.default in (None, ()) else f"`{field.default}`"
            row = (f"`{key}`", _type(field.annotation), default, f"`{variable_of(key)}`", field.description or "")
            keys.append(row)
    for name, field in described(ServiceSettings).items():
        variable = f"`DATAFLOW_SERVICES_NAME_{name.upper()}`"
        keys.append((f"`services.NAME.{name}`", _type(field.annotation), "", variable, field.description or ""))
    return "\n\n".join(
        [
            "# Configuration",
            words()["page"]["configuration"]["before"].strip(),
            _table(("key in dataflow.toml", "type", "default", "variable", "what it is"), keys),
            words()["page"]["configuration"]["after"].strip(),
            "## Variables that are not settings",
            _table(("variable", "what it is"), [(f"`{name}`", text) for name, text in VARIABLES.items()]),
        ]
    )


def _services() -> str:
    titles = ("service", "what it is", "profile", "engine", "port")
    return "\n\n".join(
        [
            "# Services",
            words()["page"]["services"]["before"].strip(),
            _table(titles, service_pages.overview()),
            "## The `x-dataflow:` block",
            words()["page"]["services"]["block"].strip(),
            _table(("key", "type", "default", "what it is"), list(_keys(Block, ""))),
            words()["page"]["services"]["after"].strip(),
        ]
    )


def _keys(table: type, prefix: str) -> Iterator[tuple[str, ...]]:
    """Keys of a block that people write; `name` and `folder` come from where the file lies."""
    for name, field in described(table).items():
        key = prefix + name
        inner = next((kind for kind in _alternatives(field.annotation) if is_dataclass(kind)), None)
        if key in {"name", "folder"}:
            continue
        if inner:
            yield from _keys(inner, f"{key}.")
            continue
        shown = "required" if field.required else "" if field.default in (None, (), {}) else f"`{field.default}`"
        yield f"`{key}`", _type(field.annotation), shown, field.description or words()["service"]["keys"][key]


def _errors() -> str:
    written = words()["codes"]
    rows: Rows = [
        (f"`{code}`", " or ".join(map(str, sorted(exits))), written[code]["means"], written[code]["do"])
        for code, exits in sorted(error_codes().items())
    ]
    rules: Rows = [(f"`{rule}`", text) for rule, text in sorted(words()["findings"]["rules"].items())]
    return "\n\n".join(
        [
            "# Error codes",
            words()["page"]["errors"]["before"].strip(),
            _table(("code", "exit", "what it means", "what to do"), rows),
            "## Findings",
            words()["page"]["errors"]["findings"].strip(),
            _table(("rule", "what it means"), rules),
        ]
    )


def _metrics() -> str:
    metrics: Rows = [
        (f"`{name}`", metric.kind, " ".join(f"`{label}`" for label in metric.labels), metric.source, metric.help)
        for name, metric in METRICS.items()
    ]
    rules: Rows = [
        (
            f"`{rule.name}`",
            rule.severity,
            f"`{rule.expression}`",
            f"{rule.hold:g} s" if rule.hold else "",
            f"`{rule.action}`",
        )
        for rule in load_rules()
    ]
    return "\n\n".join(
        [
            "# Metrics",
            words()["page"]["metrics"]["before"].strip(),
            _table(("metric", "type", "labels", "source", "what it is"), metrics),
            "## Alert rules",
            words()["page"]["metrics"]["rules"].strip(),
            _table(("alert", "severity", "when", "for", "what helps"), rules),
        ]
    )


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _type(kind: Any) -> str:
    """A type as people write its values."""
    known = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path", type(None): ""}
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(text for inner in get_args(kind) if (text := _type(inner)))
    if get_origin(kind) in (tuple, list):
        return f"list of {_type(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"table of {_type(get_args(kind)[1])}"
    return known.get(kind, getattr(kind, "__name__", str(kind)))


def _table(titles: tuple[str, ...], rows: list[Any]) -> str:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def main(arguments: list[str]) -> int:
    """Write what differs, or with --check only name it."""
    stale = {path: text for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
