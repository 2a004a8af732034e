"""dataflow.toml as typed settings, and the one function that decides whose value wins.

Precedence, highest first: a flag, the environment (`DATAFLOW_*`), `.env`, `dataflow.toml`, the default.
A key `warehouse.lock_wait` has the variable `DATAFLOW_WAREHOUSE_LOCK_WAIT`. This is plain pydantic: the layers
must be kept apart to say where a value came from, and pydantic-settings costs 70 ms of every command's start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dataflow.config import dotenv
from dataflow.config.documents import Document, load_toml
from dataflow.config.paths import ProjectPaths
from dataflow.config.validation import findings_of, invalid, suggestion
from dataflow.errors import Place, UsageError
from dataflow.models import Finding

PREFIX = "DATAFLOW_"
_LISTS = {("profiles",), ("buckets",), ("alerts", "email_to")}  # in a variable separated by commas
# Variables with our prefix that are not settings: secrets, and what the engine tells workflow code.
VARIABLES: dict[str, str] = {
    "DATAFLOW_S3_ACCESS_KEY": "Access key of the object store; the first `dataflow up` makes one.",
    "DATAFLOW_S3_SECRET_KEY": "Secret key of the object store; the first `dataflow up` makes one.",
    "DATAFLOW_S3_REGION": "Region that S3 clients sign for; any word, us-east-1 where it is not set.",
    "DATAFLOW_S3_ENDPOINT": "URL of the object store; set by the engine for workflow code.",
    "DATAFLOW_POSTGRES_PASSWORD": "Password of the platform's Postgres; the first `dataflow up` makes one.",
    "DATAFLOW_GRAFANA_PASSWORD": "Password of Grafana's user admin; the first `dataflow up` makes one.",
    "DATAFLOW_POSTGRES_DSN": "Connection string that shared.db.postgres_connection uses.",
    "DATAFLOW_ALERTS_WEBHOOK_URL": "URL that alerts are posted to, in Alertmanager's format; it often holds a token.",
    "DATAFLOW_ALERTS_SMTP_PASSWORD": "Password of `alerts.smtp_user` at the mail server.",
    "DATAFLOW_PROJECT_DIR": "The project, for commands that are started elsewhere.",
    "DATAFLOW_STATE_DIR": "Where run-time state lies; set by the engine for workflow code.",
}


class Section(BaseModel):
    """A table of dataflow.toml: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceSettings(Section):
    """[services.NAME]: what to change about one service."""

    enabled: Annotated[bool | None, Field(description="On or off, whatever the profiles say.")] = None
    port: Annotated[
        int | None, Field(ge=1, le=65535, description="The port people use. Default: the service's own.")
    ] = None
    image: Annotated[str | None, Field(min_length=1, description="Another image (docker engine).")] = None
    memory: Annotated[
        str | None, Field(pattern=r"^\d+[kmg]$", description="Memory at most, as in 512m or 2g (docker engine).")
    ] = None


class WarehouseSettings(Section):
    """[warehouse]: the DuckDB file."""

    path: Annotated[Path, Field(description="The file, relative to the project.")] = Path(".dataflow/warehouse.duckdb")
    lock_wait: Annotated[float, Field(ge=0, description="Seconds a writer waits for another writer.")] = 60.0
    postgres: Annotated[
        bool, Field(description="Also a Postgres database, for workflow code that asks for one (docker engine).")
    ] = False


class UpSettings(Section):
    """[up]: how the platform starts."""

    timeout: Annotated[float, Field(gt=0, description="Seconds until a service must be healthy.")] = 120.0


class LogSettings(Section):
    """[logs]: how long they are kept, and how much room they may take."""

    keep_days: Annotated[
        int, Field(ge=1, le=3650, description="Days until lines in Loki, logs of runs and rotated logs are removed.")
    ] = 14
    max_mb: Annotated[
        int, Field(ge=10, description="Megabytes that log files may take; the oldest go first. Loki knows only days.")
    ] = 1000


class BackupSettings(Section):
    """[backup]: what is kept."""

    keep: Annotated[int, Field(ge=1, description="Backups made before data goes that are kept; others always are.")] = 5


class AlertSettings(Section):
    """[alerts]: who is told. A webhook is told where DATAFLOW_ALERTS_WEBHOOK_URL is set."""

    file: Annotated[bool, Field(description="Write every alert to .dataflow/alerts.jsonl.")] = True
    desktop: Annotated[bool, Field(description="Show a desktop notification (native engine).")] = False
    email_to: Annotated[tuple[str, ...], Field(description="Mail addresses that are told.")] = ()
    email_from: Annotated[str | None, Field(description="Who writes. Default: the first of `email_to`.")] = None
    smtp: Annotated[
        str | None, Field(pattern=r"^[\w.-]+:\d+$", description="The mail server, as in smtp.example.org:587.")
    ] = None
    smtp_user: Annotated[str | None, Field(description="The name to sign in with there; none is no sign-in.")] = None
    smtp_tls: Annotated[bool, Field(description="Whether the mail server must speak TLS.")] = True


class Settings(Section):
    """The whole of dataflow.toml. Every key is optional."""

    name: Annotated[
        str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$", description="Default: the folder's name.")
    ] = None
    engine: Annotated[Literal["auto", "native", "docker"], Field(description="What runs the services.")] = "auto"
    profiles: Annotated[tuple[str, ...], Field(description="Groups of services beside the default one.")] = ()
    object_store: Annotated[Literal["seaweedfs", "minio"], Field(description="Which S3 server.")] = "seaweedfs"
    log_collector: Annotated[
        Literal["alloy", "promtail"], Field(description="What sends logs to Loki (docker engine).")
    ] = "alloy"
    code: Annotated[
        Literal["mounted", "baked"],
        Field(description="Workflows in containers: the project's folder, or a copy in the image (docker engine)."),
    ] = "mounted"
    buckets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")], ...],
        Field(description="Buckets that are there from the start."),
    ] = ("lake",)
    warehouse: WarehouseSettings = WarehouseSettings()
    up: UpSettings = UpSettings()
    logs: LogSettings = LogSettings()
    backup: BackupSettings = BackupSettings()
    alerts: AlertSettings = AlertSettings()
    services: Annotated[dict[str, ServiceSettings], Field(description="One table per service to change.")] = Field(
        default_factory=dict[str, ServiceSettings]
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a flag, a variable, a file and line, or the default."""

    layer: Literal["flag", "environment", ".env", "dataflow.toml", "default"]
    place: str = ""

    def __str__(self) -> str:
        return f"{self.layer} ({self.place})" if self.place else self.layer


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the origin of every key that is not a default, and the variables of `.env`."""

    settings: Settings
    origins: dict[str, Origin]
    env: dict[str, str]

    def origin(self, key: str) -> Origin:
        """Where `key` (dotted) came from."""
        return self.origins.get(key, Origin("default"))


def load(paths: ProjectPaths, *, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Loaded:
    """The project's settings. `flags` maps dotted keys to values the user typed.

    Raises:
        ConfigurationError: TOML_SYNTAX, ENV_SYNTAX or CONFIG_INVALID, with file, line and a did-you-mean.
        UsageError: a flag or an environment variable has a value that does not fit.
    """
    document = load_toml(paths.config)
    try:
        Settings.model_validate(document.data)
    except ValidationError as error:
        raise invalid(findings_of(error.errors(), Settings, document)) from error
    env = dotenv.load(paths.env)
    data: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    layers = [
        *_toml_layer(document),
        *_variable_layer(env.values, paths, lambda name: Origin(".env", f".env:{env.lines[name]}"), strict=env),
        *_variable_layer(environ, paths, lambda name: Origin("environment", name), strict=None),
        *((tuple(key.split(".")), value, Origin("flag", f"--{key.split('.')[-1]}")) for key, value in flags.items()),
    ]
    for key, value, origin in layers:
        _put(data, key, value)
        origins[".".join(key)] = origin
    return Loaded(_validated(data, origins), origins, env.values)


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> dict[str, Any]:
    """Every dotted key that holds a value, with its field; `services` counts as one."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= leaves(kind, f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


def variable_of(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.upper().replace(".", "_").replace("-", "_")


def _toml_layer(document: Document) -> list[tuple[tuple[str, ...], Any, Origin]]:
    def walk(data: Mapping[str, Any], prefix: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
        items: list[tuple[tuple[str, ...], Any]] = []
        for name, value in data.items():
            key = (*prefix, name)
            items += walk(value, key) if isinstance(value, Mapping) else [(key, value)]
        return items

    return [(key, value, Origin("dataflow.toml")) for key, value in walk(document.data, ())]


def _variable_layer(
    values: Mapping[str, str], paths: ProjectPaths, origin: Any, *, strict: dotenv.Parsed | None
) -> list[tuple[tuple[str, ...], Any, Origin]]:
    """The settings among the variables. In `.env`, an unknown name with our prefix is an error."""
    known = {variable_of(key): tuple(key.split(".")) for key in leaves() if key != "services"}
    found: list[tuple[tuple[str, ...], Any, Origin]] = []
    for name, value in values.items():
        if not name.startswith(PREFIX) or name in VARIABLES:
            continue
        key = known.get(name) or _service_key(name)
        if key:
            found.append((key, tuple(value.split(",")) if key in _LISTS else value, origin(name)))
        elif strict:
            place = Place(paths.env, strict.lines[name], 1, strict.text.splitlines()[strict.lines[name] - 1])
            hint = suggestion(name, [*known, *VARIABLES])
            raise invalid((Finding("unknown-key", f"Unknown variable '{name}' in .env.", place, hint),))
    return found


def _service_key(name: str) -> tuple[str, ...] | None:
    """DATAFLOW_SERVICES_DAGSTER_WEBSERVER_PORT -> services.dagster-webserver.port."""
    rest = name.removeprefix(PREFIX + "SERVICES_")
    service, _, field = rest.rpartition("_")
    if rest == name or field.lower() not in ServiceSettings.model_fields or not service:
        return None
    return ("services", service.lower().replace("_", "-"), field.lower())


def _put(data: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    for part in key[:-1]:
        data = data.setdefault(part, {})
    data[key[-1]] = value


def _validated(data: dict[str, Any], origins: Mapping[str, Origin]) -> Settings:
    """dataflow.toml was checked alone before, so what is wrong here came from a variable or a flag."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        where = next((origin for name, origin in origins.items() if key.startswith(name)), Origin("flag"))
        message = f"{where}: '{key}' cannot be {first['input']!r}: {first['msg']}."
        raise UsageError(message, code="VALUE_INVALID") from error
