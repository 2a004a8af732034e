"""A restore builds the new state aside and turns to it in one step: being cut off never leaves a mixture.

What is built lies under `.dataflow/restoring/`: natively a project of its own, whose folders are moved then; under
Docker volumes of a new generation, and a stack.json that names them. The turn is a journal of moves that is written
whole before the first move. Whoever finds a journal finishes it; whoever finds no journal throws the rest away.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dataflow.config.paths import ProjectPaths
from dataflow.engines import stack
from dataflow.engines.choice import make
from dataflow.errors import MissingError
from dataflow.events import Noted, Report, ignore
from dataflow.models import EngineName
from dataflow.operations.context import Context
from dataflow.system.files import mapped_os_errors, write_json

_JOURNAL = "journal.json"
_OLD = "old"

Move = tuple[Path | None, Path]


@dataclass(frozen=True, slots=True)
class Staging:
    """Where the new state is built. `moves`: what of it will stand where, once all is there.

    A move from nowhere (None) takes away what is there.
    """

    context: Context
    folder: Path
    moves: tuple[Move, ...]


def stage(context: Context, target: EngineName) -> Staging:
    """Make an empty platform of the target engine beside the one there is. Its services are not up yet."""
    paths = context.paths
    folder = paths.restoring
    with mapped_os_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    if target == "native":
        return _stage_native(context, folder)
    return _stage_docker(context, folder)


def turn(staging: Staging, paths: ProjectPaths, more: Sequence[Move]) -> None:
    """Turn to the new state: from the moment the journal is written, there is no way back and none is needed."""
    moves = [*staging.moves, *more]
    data = {"moves": [[str(source) if source else None, str(target)] for source, target in moves]}
    write_json(staging.folder / _JOURNAL, data)
    _finish(paths)


def recover(context: Context, report: Report) -> None:
    """Bring a restore that was cut off to an end: forwards where it had begun to turn, else back."""
    paths = context.paths
    if not paths.restoring.exists():
        return
    if (paths.restoring / _JOURNAL).exists():
        report(Noted("A restore was cut off while it turned to the new state: finishing it.", warning=True))
        _finish(paths)
        return
    report(Noted("A restore was cut off before it was ready: the state before it stays.", warning=True))
    try:
        discard(context)
    except MissingError as error:
        if error.code != "ENGINE_DOWN" or context.choice.name == "docker":
            raise
        report(Noted("Its unfinished Docker volumes are removed once the Docker Engine answers.", warning=True))


def discard(context: Context) -> None:
    """Throw away what was built. The state before is whole. Raises MissingError ENGINE_DOWN where it lies there."""
    folder = context.paths.restoring
    native = ProjectPaths(folder / "project")
    if native.config.exists():
        Context(native, {"engine": "native"}).engine.shut_down(ignore)
    if stack.load(folder / "stack.json").engine == "docker":
        live = make("docker", context.paths, context.loaded, context.catalog)
        live.shut_down(ignore)  # its containers stand on volumes that go
        live.carrier.forget_replaced()
    shutil.rmtree(folder, ignore_errors=True)


def _stage_native(context: Context, folder: Path) -> Staging:
    """A project of its own, whose object store and history become this one's."""
    paths = context.paths
    own = ProjectPaths(folder / "project")
    with mapped_os_errors(own.root):
        own.workflows.mkdir(parents=True)
        shutil.copy(paths.config, own.config)
        if paths.env.exists():
            shutil.copy(paths.env, own.env)
    staged = folder / "stack.json"
    stack.save(staged, replace(stack.load(paths.stack), engine="native", launches={}, variables={}))
    moves = ((own.objects, paths.objects), (own.dagster_home, paths.dagster_home), (staged, paths.stack))
    return Staging(Context(own, {"engine": "native", "profiles": ()}), folder, moves)


def _stage_docker(context: Context, folder: Path) -> Staging:
    """The same Compose project on volumes of a new generation."""
    paths = context.paths
    staged = folder / "stack.json"
    known = stack.load(paths.stack)
    fresh = f"-{int(time.time()):x}"
    now = replace(known, engine="docker", generation=fresh, launches={}, variables={}, volumes={})
    stack.save(staged, now)
    return Staging(Context(replace(paths, stack_file=staged), {"engine": "docker"}), folder, ((staged, paths.stack),))


def _finish(paths: ProjectPaths) -> None:
    """Carry out the journal's moves; those that are done already are passed over."""
    folder = paths.restoring
    old = folder / _OLD
    with mapped_os_errors(folder):
        old.mkdir(exist_ok=True)
        for number, (source, target) in enumerate(json.loads((folder / _JOURNAL).read_text(encoding="utf-8"))["moves"]):
            new, place = Path(source) if source else None, Path(target)
            if new and not new.exists():
                continue  # moved already
            if place.exists():
                place.rename(old / f"{number}-{place.name}")
            if new:
                place.parent.mkdir(parents=True, exist_ok=True)
                new.rename(place)
        (folder / _JOURNAL).unlink()
    shutil.rmtree(folder, ignore_errors=True)
