"""Start a workflow from a template: a folder that validates, tests and runs at once."""

from __future__ import annotations

import keyword
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataflow.config.validation import suggestion
from dataflow.errors import UsageError
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.system.files import mapped_os_errors, write_text
from dataflow.workflows.catalogue import kept
from dataflow.workflows.registry import NAME
from dataflow.workflows.scaffold import Template, render, templates

# What a table, a module or dbt's own parts are called already.
_TAKEN = {"common", "dbt", "dagster", "dataflow", "main", "marts", "staging", "temp", "test", "tests", "workflows"}

# dbt refuses these as names of a project (dbt.contracts.project.BANNED_PROJECT_NAMES; importing dbt takes seconds).
# fmt: off
_TAKEN_BY_DBT = {
    "_sql_results", "adapter", "api", "column", "config", "context", "database", "env", "env_var", "exceptions",
    "execute", "flags", "fromjson", "fromyaml", "graph", "invocation_id", "load_agate_table", "load_result", "log",
    "model", "modules", "post_hooks", "pre_hooks", "ref", "render", "return", "run_started_at", "schema", "source",
    "sql", "sql_now", "store_result", "store_raw_result", "target", "this", "tojson", "toyaml",
    "try_or_compiler_error", "var", "write",
}
# fmt: on


@dataclass(frozen=True, slots=True)
class TemplateList:
    """The templates there are."""

    templates: tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """A workflow that was made, or would be (`dry_run`), and its files by their paths in its folder."""

    name: str
    template: str
    folder: Path
    files: tuple[str, ...]
    requires: tuple[str, ...]
    dry_run: bool


def list_templates() -> TemplateList:
    """All templates, the plainest first."""
    return TemplateList(templates())


def scaffold(
    context: Context, name: str, *, template: str = "blank", description: str | None = None, dry_run: bool = False
) -> Scaffolded:
    """Make the workflow `name`. Nothing that exists is touched, and a folder appears whole or not at all.

    Raises:
        UsageError: WORKFLOW_NAME_ILLEGAL, WORKFLOW_EXISTS, TEMPLATE_UNKNOWN.
        OperationFailedError: NOT_WRITABLE, DISK_FULL and others of the file system.
    """
    _check_name(name)
    chosen = _template(template)
    folder = context.paths.workflows / name
    known = kept(context.paths)  # importing all workflows takes seconds; a name that is new since is told by `list`
    if folder.exists() or (known and known.find(name)):
        hint = "Choose another name, or remove that one."
        raise UsageError(f"There is a workflow '{name}' already.", code="WORKFLOW_EXISTS", hint=hint)
    files = render(chosen, name, description)
    if not dry_run:
        with audited(context, "workflow init", f"{name} from {chosen.name}"):
            _write(folder, files)
    names = tuple(str(path) for path in files)
    return Scaffolded(name, chosen.name, folder, names, chosen.requires, dry_run)


def _write(folder: Path, files: Mapping[Path, str]) -> None:
    """Into a folder beside, which then gets its name."""
    with mapped_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            for path, text in files.items():
                (partial / path).parent.mkdir(parents=True, exist_ok=True)
                write_text(partial / path, text)
            partial.chmod(0o755)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        hint = "Use lower-case letters, digits and underscores, starting with a letter, at most 63."
        raise UsageError(f"'{name}' is not a workflow name.", code="WORKFLOW_NAME_ILLEGAL", hint=hint)
    if keyword.iskeyword(name) or name in sys.stdlib_module_names or name in _TAKEN | _TAKEN_BY_DBT:
        hint = f"For example '{name}_data'."
        message = f"A workflow cannot be called '{name}': Python, dbt or the warehouse has that name."
        raise UsageError(message, code="WORKFLOW_NAME_ILLEGAL", hint=hint)


def _template(name: str) -> Template:
    known = {one.name: one for one in templates()}
    if name not in known:
        hint = suggestion(name, list(known)) or f"There are: {', '.join(known)}."
        raise UsageError(f"There is no template '{name}'.", code="TEMPLATE_UNKNOWN", hint=hint)
    return known[name]
