"""Validate workflows: everything that can be known to be wrong without running them, with file and line."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataflow.config.documents import Document, load_yaml
from dataflow.config.validation import findings_in, suggestion
from dataflow.errors import ConfigurationError, Place, UsageError, WarehouseError
from dataflow.models import Finding
from dataflow.operations.context import Context
from dataflow.workflows.catalogue import fingerprint
from dataflow.workflows.discovery import ENTRY, folders
from dataflow.workflows.manifest import FILE_NAME, FreeSettings, Manifest, load_manifest
from dataflow.workflows.rules import code, columns, pages

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LOOK = 0.5  # seconds between two looks for a changed file


@dataclass(frozen=True, slots=True)
class Validated:
    """The workflows that were looked at, and what is wrong with them, by file and line."""

    workflows: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those that must be mended; the others are warnings."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def validate_workflows(context: Context, names: Sequence[str] = ()) -> Validated:
    """Look at these workflows, at all where none is named. Findings are the result, not an error.

    Raises:
        UsageError: WORKFLOW_UNKNOWN; there is no such folder, and no workflow of that name.
    """
    began = time.monotonic()
    chosen = [workflow_folder(context, name) for name in names] or _all(context.paths.workflows)
    found = [finding for finding in context.workflows.findings if _of(finding, chosen)]
    broken = {finding.place.path for finding in found}
    environment = context.engine.environment()
    with _warehouse(context) as connection:
        for folder in chosen:
            found += _needs(context, folder, environment, broken)
            found += pages.page_findings(folder, connection)
        for info in context.workflows.workflows:
            if connection and info.dbt and info.folder in chosen:
                kept = context.paths.state / "dbt" / info.name / "columns.json"
                found += columns.column_findings(info.dbt, connection, kept, context.native.environment())
    found.sort(key=lambda one: (str(one.place.path), one.place.line or 0, one.rule))
    return Validated(tuple(folder.name for folder in chosen), tuple(found), round(time.monotonic() - began, 2))


def watch(context: Context, names: Sequence[str] = ()) -> Iterator[Validated]:
    """Validate now, and again whenever a file has changed; ends with the process."""
    last: str | None = None
    while True:
        now = _state(context.paths.workflows)
        if now != last:
            fresh = Context(context.paths)
            last = now
            yield validate_workflows(fresh, names)
        time.sleep(_LOOK)


def _state(root: Path) -> str:
    """What decides the answer: the files that decide what workflows there are, and the pages."""
    files = sorted(root.glob("*/evidence/pages/**/*.md"))
    return fingerprint(root) + "".join(f"{path}{path.stat().st_mtime_ns}" for path in files if path.exists())


def _all(root: Path) -> list[Path]:
    """Every folder that is meant as a workflow, also one whose entry is missing."""
    meant = {path.parent for path in root.glob(f"*/{FILE_NAME}") if not path.parent.name.startswith((".", "_"))}
    return sorted({*folders(root), *meant})


def workflow_folder(context: Context, name: str) -> Path:
    """By the folder's name first: what does not load has no other. Raises UsageError WORKFLOW_UNKNOWN."""
    there = {folder.name: folder for folder in _all(context.paths.workflows)}
    if name in there:
        return there[name]
    info = context.workflows.find(name)
    if info:
        return info.folder
    hint = suggestion(name, there) or (f"There are: {', '.join(there)}." if there else "The project has none yet.")
    raise UsageError(f"There is no workflow '{name}'.", code="WORKFLOW_UNKNOWN", hint=hint)


def _of(finding: Finding, chosen: Sequence[Path]) -> bool:
    return any(folder in (finding.place.path, *finding.place.path.parents) for folder in chosen)


@contextmanager
def _warehouse(context: Context) -> Generator[DuckDBPyConnection | None]:
    """A reader of the warehouse; None where there is none, or where it cannot be read: `why` tells of that."""
    from dataflow.shared.db import read_connection

    with ExitStack() as stack:
        reader = None
        if context.warehouse.is_file():
            with suppress(WarehouseError):
                reader = stack.enter_context(read_connection(context.warehouse))
        yield reader.connection if reader else None


def _needs(context: Context, folder: Path, environment: Mapping[str, str], broken: set[Path]) -> Iterator[Finding]:
    """What the manifest asks for, against what there is; and what the code does, against the manifest."""
    manifest: Manifest[FreeSettings] | None = None
    entry = folder / ENTRY
    if not entry.is_file():
        hint = "`dataflow workflow init` makes one: a function decorated with @register_workflow."
        yield Finding(
            "entry-missing", f"{folder.name} has no dagster_job.py: it is no workflow yet.", Place(entry), hint
        )
    path = folder / FILE_NAME
    if path.is_file() and path not in broken:
        try:
            manifest = load_manifest(folder)
            yield from _manifest(context, manifest, load_yaml(path), environment)
        except ConfigurationError as error:  # the workflow's own import stopped before it read the file
            yield from findings_in(error, Place(path))
    files = code.modules(folder)
    yield from code.pool_findings(files)
    if manifest:
        yield from code.secret_findings(files, {secret.name for secret in manifest.secrets})


def _manifest(
    context: Context, manifest: Manifest[FreeSettings], document: Document, environment: Mapping[str, str]
) -> Iterator[Finding]:
    for index, name in enumerate(manifest.requires):
        if name not in context.catalog:
            hint = suggestion(name, context.catalog) or f"There are: {', '.join(context.catalog)}."
            place = document.place(("requires", index))
            yield Finding("service-unknown", f"No service is called '{name}'.", place, hint)
    for index, secret in enumerate(manifest.secrets):
        if secret.required and not environment.get(secret.name):
            message = f"{secret.name} is required and nobody has set it: a run will be refused."
            place = document.place(("secrets", index, "name"))
            yield Finding("secret-unset", message, place, f"Set it in .env: {secret.name}=…", "warning")
