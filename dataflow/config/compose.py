"""What Docker Compose gets from us: the project's name, the variables of our Compose files, and two generated files.

`.dataflow/compose.yaml` includes the service folders that this project's settings pick; `.dataflow/workflow.env` holds
the variables of the user's that workflow code sees. Our block in `.env` lets plain `docker compose` see the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dataflow.config import alertmanager, assets, dotenv
from dataflow.config.catalog import Catalog
from dataflow.config.documents import load_yaml
from dataflow.config.environment import SECRETS, warehouse_path
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import PREFIX, Loaded, variable_of
from dataflow.errors import ConfigurationError
from dataflow.models import PortUse
from dataflow.system.files import write_text

ALERTMANAGER = "alertmanager.yml"
_HEAD = "# Written by dataflow. Do not edit: `dataflow up` writes it anew.\n"


def project_name(paths: ProjectPaths, loaded: Loaded) -> str:
    """The Compose project's name: told by the folder, different for every folder on this machine."""
    name = loaded.settings.name or re.sub(r"[^a-z0-9_-]+", "-", paths.root.name.lower()).strip("-_")
    return f"{name or 'platform'}-{paths.stack_id[:8]}"


def build_context() -> dict[str, str]:
    """Where the image's parts lie: the package's parent folder, and the folder of the Dockerfile."""
    return {
        "DATAFLOW_TOOLKIT_DIR": str(Path(__file__).parents[2]),
        "DATAFLOW_IMAGE_DIR": str(assets.path("compose") / "services" / "dagster-code"),
    }


def variables(
    paths: ProjectPaths, loaded: Loaded, catalog: Catalog, ports: Mapping[str, tuple[PortUse, ...]]
) -> dict[str, str]:
    """The values of the variables in our Compose files, but for secrets, images of ours and the user."""
    settings = loaded.settings
    warehouse = warehouse_path(paths, loaded)
    found = {
        "COMPOSE_PROJECT_NAME": project_name(paths, loaded),
        "DATAFLOW_PROJECT_DIR": str(paths.root),
        **build_context(),
        "DATAFLOW_OBJECT_STORE": settings.object_store,
        "DATAFLOW_LOG_COLLECTOR": settings.log_collector,
        "DATAFLOW_BUCKETS": ",".join(settings.buckets),
        "DATAFLOW_WAREHOUSE_DIR": str(warehouse.parent),
        "DATAFLOW_WAREHOUSE_FILE": warehouse.name,
        variable_of("warehouse.lock_wait"): f"{settings.warehouse.lock_wait:g}",
        variable_of("alerts.file"): str(settings.alerts.file).lower(),
        variable_of("logs.keep_days"): str(settings.logs.keep_days),
        variable_of("logs.max_mb"): str(settings.logs.max_mb),
    }
    if alertmanager.configuration(loaded, dict(os.environ)):
        found["DATAFLOW_ALERTMANAGER_CONFIG"] = str(paths.state / ALERTMANAGER)
    for name, own in settings.services.items():
        found |= {
            variable_of(f"services.{name}.{key}"): value for key in ("image", "memory") if (value := getattr(own, key))
        }
    for name, uses in ports.items():
        found |= {catalog[name].port_variable(use.name): str(use.number) for use in uses}
    return found


def write_files(file: Path, env_file: Path, paths: ProjectPaths, loaded: Loaded, catalog: Catalog) -> None:
    """Write what Compose reads beside our shipped files, where it differs: includes, and workflow code's variables."""
    folders = dict.fromkeys(spec.folder for spec in catalog.values() if spec.container)
    includes = "".join(f"  - path: {_text(str(folder / 'compose.yaml'))}\n" for folder in folders)
    _write(file, f"{_HEAD}include:\n{includes}")
    values = workflow_variables(paths, loaded)
    lines = "".join(f"{name}={dotenv.quoted(value)}\n" for name, value in values.items())
    _write(env_file, f"{_HEAD}{lines}", mode=dotenv.OWNER_ONLY)
    if text := alertmanager.configuration(loaded, dict(os.environ)):
        _write(file.with_name(ALERTMANAGER), text)


def workflow_variables(paths: ProjectPaths, loaded: Loaded, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What workflow code sees of the user's: `.env` but for settings and the services' own credentials, and what a
    manifest declares as a secret and the environment has.
    """
    ours = {*SECRETS, *(name for name in loaded.env if name.startswith(PREFIX))} - {"DATAFLOW_POSTGRES_DSN"}
    found = {name: value for name, value in loaded.env.items() if name not in ours}
    found |= {name: environ[name] for name in (*declared_secrets(paths), "DATAFLOW_POSTGRES_DSN") if name in environ}
    if loaded.settings.warehouse.postgres:
        password = environ.get("DATAFLOW_POSTGRES_PASSWORD") or loaded.env.get("DATAFLOW_POSTGRES_PASSWORD", "")
        found.setdefault("DATAFLOW_POSTGRES_DSN", f"postgresql://dataflow:{password}@postgres:5432/warehouse")
    return dict(sorted(found.items()))


def declared_secrets(paths: ProjectPaths) -> Iterable[str]:
    """The names of the secrets that the manifests of the workflows declare; broken ones are told of elsewhere."""
    for file in sorted(paths.workflows.glob("*/config.yaml")):
        try:
            declared = load_yaml(file).data.get("secrets")
        except ConfigurationError:
            continue
        for secret in declared if isinstance(declared, list) else ():
            name = secret.get("name") if isinstance(secret, dict) else None
            if isinstance(name, str):
                yield name


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text(path, text, mode=mode)


def _text(value: str) -> str:
    """A string in YAML, where Compose's `$` means itself."""
    escaped = value.replace("'", "''").replace("$", "$$")
    return f"'{escaped}'"
