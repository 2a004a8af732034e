"""dataflow.toml as typed settings, and the one function that decides whose value wins.

Precedence, highest first: a flag, the environment (`DATAFLOW_*`), `.env`, `dataflow.toml`, the default.
A key `warehouse.lock_wait` has the variable `DATAFLOW_WAREHOUSE_LOCK_WAIT`. The layers must be kept apart to say where
a value came from, which pydantic-settings cannot.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from dataflow import __version__
from dataflow.config import dotenv
from dataflow.config.documents import Document, load_toml
from dataflow.config.keys import Described, Key, Strict, adapter, described, from_plain, to_plain
from dataflow.config.paths import ProjectPaths
from dataflow.config.validation import invalid, suggestion, validate
from dataflow.errors import DataflowError, Place, UsageError
from dataflow.models import Finding
from dataflow.system.files import write_json

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings(Strict):
    """[services.NAME]: what to change about one service."""

    enabled: Annotated[bool | None, Key("On or off, whatever the profiles say.")] = None
    port: Annotated[int | None, Key(ge=1, le=65535, description="The port people use. Default: the service's own.")] = (
        None
    )
    image: Annotated[str | None, Key(min_length=1, description="Another image (docker engine).")] = None
    memory: Annotated[
        str | None, Key(pattern=r"^\d+[kmg]$", description="Memory at most, as in 512m or 2g (docker engine).")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseSettings(Strict):
    """[warehouse]: the DuckDB file."""

    path: Annotated[Path, Key("The file, relative to the project.")] = Path(".dataflow/warehouse.duckdb")
    lock_wait: Annotated[float, Key(ge=0, description="Seconds a writer waits for another writer.")] = 60.0
    postgres: Annotated[bool, Key("Also a Postgres database, for workflow code that asks for one (docker engine).")] = (
        False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings(Strict):
    """[up]: how the platform starts."""

    timeout: Annotated[float, Key(gt=0, description="Seconds until a service must be healthy.")] = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings(Strict):
    """[logs]: how long they are kept, and how much room they may take."""

    keep_days: Annotated[
        int, Key(ge=1, le=3650, description="Days until lines in Loki, logs of runs and rotated logs are removed.")
    ] = 14
    max_mb: Annotated[
        int, Key(ge=10, description="Megabytes that log files may take; the oldest go first. Loki knows only days.")
    ] = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings(Strict):
    """[backup]: what is kept."""

    keep: Annotated[int, Key(ge=1, description="Backups made before data goes that are kept; others always are.")] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings(Strict):
    """[alerts]: who is told. A webhook is told where DATAFLOW_ALERTS_WEBHOOK_URL is set."""

    file: Annotated[bool, Key("Write every alert to .dataflow/alerts.jsonl.")] = True
    desktop: Annotated[bool, Key("Show a desktop notification (native engine).")] = False
    email_to: Annotated[tuple[str, ...], Key("Mail addresses that are told.")] = ()
    email_from: Annotated[str | None, Key("Who writes. Default: the first of `email_to`.")] = None
    smtp: Annotated[
        str | None, Key(pattern=r"^[\w.-]+:\d+$", description="The mail server, as in smtp.example.org:587.")
    ] = None
    smtp_user: Annotated[str | None, Key("The name to sign in with there; none is no sign-in.")] = None
    smtp_tls: Annotated[bool, Key("Whether the mail server must speak TLS.")] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Strict):
    """The whole of dataflow.toml. Every key is optional."""

    name: Annotated[
        str | None, Key(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$", description="Default: the folder's name.")
    ] = None
    engine: Annotated[Literal["auto", "native", "docker"], Key("What runs the services.")] = "auto"
    profiles: Annotated[tuple[str, ...], Key("Groups of services beside the default one.")] = ()
    object_store: Annotated[Literal["seaweedfs", "minio"], Key("Which S3 server.")] = "seaweedfs"
    log_collector: Annotated[Literal["alloy", "promtail"], Key("What sends logs to Loki (docker engine).")] = "alloy"
    code: Annotated[
        Literal["mounted", "baked"],
        Key("Workflows in containers: the project's folder, or a copy in the image (docker engine)."),
    ] = "mounted"
    buckets: Annotated[
        tuple[Annotated[str, Key(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")], ...],
        Key("Buckets that are there from the start."),
    ] = ("lake",)
    warehouse: WarehouseSettings = WarehouseSettings()
    up: UpSettings = UpSettings()
    logs: LogSettings = LogSettings()
    backup: BackupSettings = BackupSettings()
    alerts: AlertSettings = AlertSettings()
    services: Annotated[dict[str, ServiceSettings], Key("One table per service to change.")] = field(
        default_factory=dict[str, ServiceSettings]
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a flag, a variable, a file and line, or the default."""

    layer: Literal["flag", "environment", ".env", "dataflow.toml", "default"]
    place: str = ""

    def __str__(self) -> str:
        return f"{self.layer} ({self.place})" if self.place else self.layer


Layers = list[tuple[tuple[str, ...], Any, Origin]]  # key, value and where it came from; the last one wins


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
    env = dotenv.load(paths.env)
    layers: Layers = [
        *_toml_layer(document),
        *_variable_layer(env.values, paths, lambda name: Origin(".env", f".env:{env.lines[name]}"), strict=env),
        *_variable_layer(environ, paths, lambda name: Origin("environment", name), strict=None),
        *((tuple(key.split(".")), value, Origin("flag", f"--{key.split('.')[-1]}")) for key, value in flags.items()),
    ]
    origins = {".".join(key): origin for key, _, origin in layers}
    return Loaded(_kept(paths.run / "settings.json", document, layers), origins, env.values)


def leaves(table: type = Settings) -> list[str]:
    """Every dotted key that holds a value; `services` counts as one."""
    inner = {item.name: type(item.default) for item in fields(table) if isinstance(item.default, Strict)}
    return [
        f"{item.name}.{name}" if name else item.name
        for item in fields(table)
        for name in (leaves(inner[item.name]) if item.name in inner else [""])
    ]


def explained() -> dict[str, Described]:
    """The same keys with their types and what they mean."""
    return {key: described(_table(key))[key.rpartition(".")[2]] for key in leaves()}


def _table(key: str) -> type:
    return type(getattr(Settings(), key.partition(".")[0])) if "." in key else Settings


def variable_of(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.upper().replace(".", "_").replace("-", "_")


def _toml_layer(document: Document) -> Layers:
    def walk(data: Mapping[str, Any], prefix: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
        items: list[tuple[tuple[str, ...], Any]] = []
        for name, value in data.items():
            key = (*prefix, name)
            items += walk(value, key) if isinstance(value, Mapping) else [(key, value)]
        return items

    return [(key, value, Origin("dataflow.toml")) for key, value in walk(document.data, ())]


def _variable_layer(
    values: Mapping[str, str], paths: ProjectPaths, origin: Any, *, strict: dotenv.Parsed | None
) -> Layers:
    """The settings among the variables. In `.env`, an unknown name with our prefix is an error."""
    known = {variable_of(key): tuple(key.split(".")) for key in leaves() if key != "services"}
    found: Layers = []
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


def _service_key(variable: str) -> tuple[str, ...] | None:
    """DATAFLOW_SERVICES_DAGSTER_WEBSERVER_PORT -> services.dagster-webserver.port."""
    rest = variable.removeprefix(PREFIX + "SERVICES_")
    service, _, name = rest.rpartition("_")
    if rest == variable or name.lower() not in ServiceSettings.__dataclass_fields__ or not service:
        return None
    return ("services", service.lower().replace("_", "-"), name.lower())


def _put(data: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    for part in key[:-1]:
        data = data.setdefault(part, {})
    data[key[-1]] = value


def _kept(cache: Path, document: Document, layers: Layers) -> Settings:
    """What the last command made of the same values, or else what pydantic says of them, which takes long to import."""
    values = [value[:2] for value in layers]
    key = hashlib.sha256(repr((__version__, document.data, values)).encode()).hexdigest()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        held = json.loads(cache.read_text(encoding="utf-8"))
        if held["key"] == key:
            return from_plain(held["settings"], Settings)
    found = _validated(document, layers)
    if cache.parent.parent.is_dir():  # a folder in which nothing has run stays as it is
        with contextlib.suppress(DataflowError):  # a full disk or a read-only folder: it is only a cache
            write_json(cache, {"key": key, "settings": to_plain(found)})
    return found


def _validated(document: Document, layers: Layers) -> Settings:
    """dataflow.toml is checked alone before, so what is wrong then came from a variable or a flag."""
    from pydantic import ValidationError

    validate(Settings, document)
    data: dict[str, Any] = {}
    for key, value, _ in layers:
        _put(data, key, value)
    try:
        return adapter(Settings).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        where = next((origin for key, _, origin in layers if name.startswith(".".join(key))), Origin("flag"))
        message = f"{where}: '{name}' cannot be {first['input']!r}: {first['msg']}."
        raise UsageError(message, code="VALUE_INVALID") from error
