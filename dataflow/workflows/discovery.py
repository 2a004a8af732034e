"""Find the workflows of a project. Each folder is imported on its own: a broken one is reported and hides no other."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from dataflow.config.documents import place_at
from dataflow.config.validation import findings_in
from dataflow.errors import ConfigurationError, Place
from dataflow.models import Finding, WorkflowInfo

if TYPE_CHECKING:
    import dagster as dg

    from dataflow.workflows.registry import Registration

ENTRY = "dagster_job.py"
PACKAGE = "workflows"


@dataclass(frozen=True, slots=True)
class Found:
    """A workflow that loaded: what it says of itself, and its Dagster definitions."""

    info: WorkflowInfo
    definitions: dg.Definitions


@dataclass(frozen=True, slots=True)
class Discovery:
    """All workflows that loaded, what is wrong with the others, and what each folder registered, loaded or not."""

    workflows: tuple[Found, ...]
    findings: tuple[Finding, ...]
    registered: dict[str, Registration]


def folders(root: Path) -> list[Path]:
    """The workflow folders under `root`, sorted by name."""
    if not root.is_dir():
        return []
    return sorted(entry.parent for entry in root.glob(f"*/{ENTRY}") if not entry.parent.name.startswith((".", "_")))


def discover(root: Path, only: Sequence[str] = ()) -> Discovery:
    """Import every workflow under `root`, the project's workflows folder, or `only` some. Runs users' code."""
    _mount(root)
    found: list[Found] = []
    findings: list[Finding] = []
    seen: dict[str, Place] = {}
    registered: dict[str, Registration] = {}
    for folder in folders(root):
        if only and folder.name not in only:
            continue
        try:
            for registration in _registrations(folder):
                registered[folder.name] = registration
                _refuse_duplicate(registration, seen)
                found.append(_load(registration, folder))
        except ConfigurationError as error:
            findings.extend(findings_in(error, Place(folder / ENTRY)))
        # The one place where any exception is expected: this is users' code, and the finding keeps its words.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            findings.append(_broken(error, folder))
    kept = _without_conflicts(found, findings)
    return Discovery(kept, tuple(findings), registered)


def merged(discovery: Discovery) -> dg.Definitions:
    """One Dagster `Definitions` of all workflows that loaded."""
    import dagster as dg

    shared = dg.Definitions(executor=dg.in_process_executor)
    return dg.Definitions.merge(*(item.definitions for item in discovery.workflows), shared)


def _mount(root: Path) -> None:
    """Make `workflows` the package of this project, whatever else on the path has that name."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(root)]
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(PACKAGE + ".")]:
        del sys.modules[name]
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()


def _registrations(folder: Path) -> list[Registration]:
    from dataflow.workflows.registry import registrations_in

    if not folder.name.isidentifier():
        hint = f"Rename it, for example to '{folder.name.replace('-', '_')}'."
        message = f"'{folder.name}' cannot be a workflow folder: Python cannot import that name."
        raise ConfigurationError(message, code="WORKFLOW_NAME_ILLEGAL", hint=hint, place=Place(folder))
    module = importlib.import_module(f"{PACKAGE}.{folder.name}.{ENTRY.removesuffix('.py')}")
    registrations = registrations_in(module)
    if not registrations:
        message = f"{folder.name}/{ENTRY} registers no workflow."
        hint = "Decorate the function that returns the definitions with @register_workflow(name=…)."
        raise ConfigurationError(message, code="WORKFLOW_UNREGISTERED", hint=hint, place=Place(folder / ENTRY, 1))
    return registrations


def _refuse_duplicate(registration: Registration, seen: dict[str, Place]) -> None:
    if registration.name in seen:
        message = f"Two workflows are called '{registration.name}'."
        hint = f"The first is at {seen[registration.name]}. Rename one of them."
        raise ConfigurationError(message, code="WORKFLOW_NAME_TAKEN", hint=hint, place=registration.place)
    seen[registration.name] = registration.place


def _load(registration: Registration, folder: Path) -> Found:
    from dataflow.workflows.manifest import FreeSettings, load_manifest
    from dataflow.workflows.registry import definitions_of, info_of

    manifest = load_manifest(folder, registration.settings or FreeSettings)
    definitions = definitions_of(registration, manifest)
    return Found(info_of(registration, manifest, definitions), definitions)


def _without_conflicts(found: list[Found], findings: list[Finding]) -> tuple[Found, ...]:
    """Leave out a workflow whose asset keys another one has already: Dagster would refuse them all."""
    owners: dict[str, str] = {}
    kept: list[Found] = []
    for item in found:
        clash = next((key for key in item.info.assets if key in owners), None)
        if clash:
            message = f"The asset '{clash}' belongs to '{owners[clash]}' and to '{item.info.name}'."
            place = Place(item.info.folder / "assets.py")
            findings.append(Finding("asset-key-taken", message, place, "Give one of them another key."))
            continue
        owners.update(dict.fromkeys(item.info.assets, item.info.name))
        kept.append(item)
    return tuple(kept)


def _broken(error: BaseException, folder: Path) -> Finding:
    """What went wrong while importing, at the deepest line that is the user's own."""
    if isinstance(error, SyntaxError) and error.filename:
        place = Place(Path(error.filename), error.lineno, error.offset, (error.text or "").rstrip() or None)
        return Finding("syntax-error", f"{folder.name} does not parse: {error.msg}.", place)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(folder))]
    place = _frame_place(frames[-1]) if frames else Place(folder / ENTRY, 1)
    rule = "import-error" if isinstance(error, ImportError) else "load-error"
    text = str(error) or type(error).__name__
    return Finding(rule, f"{folder.name} cannot be loaded: {type(error).__name__}: {text}", place)


def _frame_place(frame: traceback.FrameSummary) -> Place:
    path = Path(frame.filename)
    return place_at(path, path.read_text(encoding="utf-8", errors="replace"), frame.lineno or 1, 1)
