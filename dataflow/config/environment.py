"""The environment in which the project's code runs, and the secrets that make it safe."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from dataflow.config import dotenv
from dataflow.config.marks import MARKER, WORKER
from dataflow.config.paths import ProjectPaths
from dataflow.config.settings import PREFIX, Loaded, variable_of
from dataflow.events import Noted, Report

SECRETS = (
    "DATAFLOW_S3_ACCESS_KEY",
    "DATAFLOW_S3_SECRET_KEY",
    "DATAFLOW_POSTGRES_PASSWORD",
    "DATAFLOW_GRAFANA_PASSWORD",
)


def ensure_secrets(
    paths: ProjectPaths, loaded: Loaded, report: Report, environ: Mapping[str, str] = os.environ
) -> None:
    """Give the project credentials of its own, once, in `.env`. What the user set is left alone."""
    missing = [name for name in SECRETS if name not in loaded.env and name not in environ]
    if not missing:
        return
    values = {name: secrets.token_hex(10 if name.endswith("ACCESS_KEY") else 24) for name in missing}
    dotenv.add(paths.env, values, comment="Credentials of this platform's services, made by dataflow.")
    loaded.env.update(values)
    report(Noted(f"Made credentials for the services in {paths.env.name} (readable by you only)."))


def project_environment(paths: ProjectPaths, loaded: Loaded, s3_port: int | None) -> dict[str, str]:
    """What `.env` and the settings say, as variables, over this process's own environment.

    Credentials in the environment win over `.env`. PATH begins with the folder of our own Python, so that
    dbt and the rest are those that were installed with us.
    """
    own = {key: value for key, value in os.environ.items() if key not in {MARKER, WORKER}}
    env = {**loaded.env, **own}
    settings = loaded.settings
    env |= {
        "DATAFLOW_PROJECT_DIR": str(paths.root),
        "DATAFLOW_STATE_DIR": str(paths.state),
        variable_of("warehouse.path"): str(warehouse_path(paths, loaded)),
        variable_of("warehouse.lock_wait"): f"{settings.warehouse.lock_wait:g}",
        variable_of("logs.keep_days"): str(settings.logs.keep_days),
        variable_of("logs.max_mb"): str(settings.logs.max_mb),
        "DATAFLOW_S3_REGION": env.get("DATAFLOW_S3_REGION", "us-east-1"),
        "DAGSTER_HOME": str(paths.dagster_home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", ""))),
    }
    if s3_port:
        env["DATAFLOW_S3_ENDPOINT"] = f"http://127.0.0.1:{s3_port}"
    return env


def warehouse_path(paths: ProjectPaths, loaded: Loaded) -> Path:
    """The warehouse file, absolute."""
    return (paths.root / loaded.settings.warehouse.path).resolve()


def tracked(env: Mapping[str, str], loaded: Loaded) -> dict[str, str]:
    """The variables whose change asks for a restart: ours, and all of `.env`."""
    return {name: value for name, value in env.items() if name.startswith(PREFIX) or name in loaded.env}
