"""Rules about a workflow's Python: writers take the warehouse's pool, and every secret that is read is declared."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.documents import place_at
from dataflow.config.validation import suggestion
from dataflow.models import Finding

WRITER = "write_connection"
# What Dagster runs as a step of its own: each may be told a pool.
_STEPS = frozenset({"asset", "multi_asset", "asset_check", "multi_asset_check", "graph_asset", "op"})
_OURS = ("DATAFLOW_", "DAGSTER_")


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed file of a workflow."""

    path: Path
    text: str
    tree: ast.Module

    def finding(self, rule: str, message: str, node: ast.expr | ast.stmt, hint: str) -> Finding:
        """A finding at a node."""
        return Finding(rule, message, place_at(self.path, self.text, node.lineno, node.col_offset + 1), hint)


def modules(folder: Path) -> list[Module]:
    """The Python files of a workflow, without its tests. What does not parse is told by loading it."""
    found: list[Module] = []
    for path in sorted(folder.rglob("*.py")):
        if {"tests", "dbt", "__pycache__"} & set(path.relative_to(folder).parts[:-1]):
            continue
        try:
            text = path.read_text(encoding="utf-8")
            found.append(Module(path, text, ast.parse(text)))
        except (OSError, SyntaxError, ValueError):
            continue
    return found


def pool_findings(files: list[Module]) -> Iterator[Finding]:
    """Steps that open the writer, themselves or through functions of the workflow, and are in no pool."""
    writers = _writers(files)
    for module in files:
        for function in _functions(module.tree):
            step = _step(function)
            if step and function.name in writers and not _has_pool(step):
                message = f"'{function.name}' writes to the warehouse, but is in no pool."
                hint = 'DuckDB has one writer: add pool="duckdb" to its decorator, or two runs may block each other.'
                yield module.finding("pool-missing", message, function, hint)


def secret_findings(files: list[Module], declared: Set[str]) -> Iterator[Finding]:
    """Environment variables that the code reads and config.yaml does not name under `secrets`."""
    for module in files:
        for node in (one for one in ast.walk(module.tree) if isinstance(one, ast.expr)):
            name = _variable(node)
            if name and name.isupper() and not name.startswith(_OURS) and name not in declared:
                message = f"The code reads {name}, which config.yaml does not name under `secrets`."
                hint = suggestion(name, declared) or f"Add `- name: {name}` there: a run without it is then refused."
                yield module.finding("secret-undeclared", message, node, hint)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _writers(files: list[Module]) -> set[str]:
    """Names of the workflow's functions that lead to the writer: by name, as the files of one workflow import it."""
    calls = {
        function.name: {_name(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
        for module in files
        for function in _functions(module.tree)
    }
    found = {name for name, called in calls.items() if WRITER in called}
    while True:
        more = {name for name, called in calls.items() if name not in found and called & found}
        if not more:
            return found
        found |= more


def _step(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    """The decorator that makes the function a step; a helper's own inner function counts, too."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if _name(called) in _STEPS:
            return decorator
    return None


def _has_pool(decorator: ast.expr) -> bool:
    """Whether it names a pool, or takes keywords from elsewhere and so may."""
    return isinstance(decorator, ast.Call) and any(word.arg in {"pool", None} for word in decorator.keywords)


def _variable(node: ast.expr) -> str | None:
    """The variable that `os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")` or `required("X")` reads."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"), args=[first, *_]):
            return _text(first)
        case ast.Call(func=ast.Attribute(attr="getenv") | ast.Name(id="getenv" | "required"), args=[first, *_]):
            return _text(first)
        case _:
            return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
