"""Make a project that works at once: configuration, a workflow with its sample, and nothing that is not needed."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from dataflow.config import assets
from dataflow.config.environment import ensure_secrets
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import load
from dataflow.errors import UsageError
from dataflow.events import Report, ignore
from dataflow.operations.audit import audited
from dataflow.operations.context import Context
from dataflow.system.files import mapped_os_errors, write_text

EXAMPLE = "nightscout"

_CONFIG = """\
# The platform. Every key is optional: `dataflow config show` lists them all with where each value comes from.
# An editor that knows TOML schemas can check this file: `dataflow config schema > dataflow.schema.json`.

name = "{name}"

# engine = "auto"            # auto | native | docker
# profiles = []              # groups of services beside the default one

# [warehouse]
# path = ".dataflow/warehouse.duckdb"

# [services.dagster-webserver]
# port = 3000
"""

_IGNORED = """\
.dataflow/
.env
__pycache__/
*.duckdb
*.duckdb.wal
"""

_COMPOSE = """\
# So that plain `docker compose ps`, `logs` and `up` work here, on the same platform as `dataflow`.
# `dataflow up` writes what is included, and the variables in .env.
include:
  - .dataflow/compose.yaml
"""

_EXAMPLE_ENV = """\
# Copy to .env, which is never committed. `dataflow up` adds what is missing to it.

# Credentials of the object store; the first `dataflow up` makes them.
# DATAFLOW_S3_ACCESS_KEY=
# DATAFLOW_S3_SECRET_KEY=

# Every setting of dataflow.toml can be set here too, for this machine only; for example:
# DATAFLOW_ENGINE=native
# DATAFLOW_SERVICES_DAGSTER_WEBSERVER_PORT=3100
"""


@dataclass(frozen=True, slots=True)
class InitResult:
    """The project that was made, and its files."""

    root: Path
    name: str
    files: tuple[str, ...]


def init(folder: Path, report: Report = ignore, *, name: str | None = None, example: bool = True) -> InitResult:
    """Make a project in `folder`, with the example workflow unless told otherwise. Nothing is overwritten.

    Raises:
        UsageError: PROJECT_EXISTS, FILE_EXISTS, NAME_ILLEGAL.
    """
    root = folder.resolve()
    chosen = name or re.sub(r"[^a-z0-9_-]+", "-", root.name.lower()).strip("-_") or "platform"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", chosen):
        hint = "Lower-case letters, digits, - and _, at most 41."
        raise UsageError(f"'{chosen}' is not a project name.", code="NAME_ILLEGAL", hint=hint)
    paths = ProjectPaths(root)
    if paths.config.exists():
        raise UsageError(f"There is a project in {root} already.", code="PROJECT_EXISTS")
    texts = {
        "dataflow.toml": _CONFIG.format(name=chosen),
        ".gitignore": _IGNORED,
        ".env.example": _EXAMPLE_ENV,
        "docker-compose.yml": _COMPOSE,
    }
    taken = [
        name for name in (".env.example", f"workflows/{EXAMPLE}" if example else "") if name and (root / name).exists()
    ]
    if taken:
        raise UsageError(f"{root / taken[0]} exists.", code="FILE_EXISTS", hint="Choose an empty folder.")
    with mapped_os_errors(root):
        paths.workflows.mkdir(parents=True, exist_ok=True)
    if example:
        _copy_example(paths)
    for file, text in texts.items():
        if not (root / file).exists():
            write_text(root / file, text)
    context = Context(paths)
    with audited(context, "init", chosen):
        ensure_secrets(paths, load(paths, flags={}), report)
    files = sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".dataflow" not in path.parts
    )
    return InitResult(root, chosen, tuple(files))


def _copy_example(paths: ProjectPaths) -> None:
    source = assets.path("workflows") / EXAMPLE
    with mapped_os_errors(paths.workflows):
        shutil.copytree(source, paths.workflows / EXAMPLE, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
