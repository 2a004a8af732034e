"""Show the configuration with its origins, check every file of it, and describe it to editors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dataflow.config import dotenv
from dataflow.config.catalog import load_catalog, load_services, profiles, require, selected
from dataflow.config.documents import load_toml
from dataflow.config.keys import adapter
from dataflow.config.settings import Settings, explained, load, variable_of
from dataflow.config.validation import findings_in, suggestion
from dataflow.errors import DataflowError, Place, UsageError
from dataflow.models import Finding
from dataflow.operations.context import Context


@dataclass(frozen=True, slots=True)
class ConfigValue:
    """One setting as it is in force, and where it came from."""

    key: str
    value: Any
    origin: str
    variable: str
    description: str


@dataclass(frozen=True, slots=True)
class ConfigShown:
    """Every setting."""

    values: tuple[ConfigValue, ...]


@dataclass(frozen=True, slots=True)
class ConfigChecked:
    """What was checked, and what is wrong."""

    files: tuple[str, ...]
    findings: tuple[Finding, ...]


def show(context: Context) -> ConfigShown:
    """Every setting with its value and origin."""
    loaded = context.loaded
    values: list[ConfigValue] = []
    for key, field in explained().items():
        if key == "services":
            continue
        value: Any = loaded.settings
        for part in key.split("."):
            value = getattr(value, part)
        if key == "name":
            value = context.name
        values.append(ConfigValue(key, value, str(loaded.origin(key)), variable_of(key), field.description))
    for key in sorted(key for key in loaded.origins if key.startswith("services.")):
        _, service, field = key.split(".", 2)
        value = getattr(loaded.settings.services[service], field)
        values.append(ConfigValue(key, value, str(loaded.origin(key)), variable_of(key), ""))
    return ConfigShown(tuple(values))


def check(context: Context) -> ConfigChecked:
    """Check dataflow.toml, .env, the services and every workflow. Findings are the result, not an error."""
    files = [context.paths.config.name]
    if context.paths.env.is_file():
        files.append(".env")
    findings = check_settings(context)
    if not findings:
        files += [f"workflows/{item.name}" for item in sorted(context.paths.workflows.glob("*")) if item.is_dir()]
        findings += context.workflows.findings
    return ConfigChecked(tuple(files), tuple(findings))


def check_settings(context: Context) -> list[Finding]:
    """The same without the workflows, which must be imported and take longer."""
    try:
        load(context.paths, flags={}, environ={})
        dotenv.load(context.paths.env)
        return _service_findings(context)
    except DataflowError as error:
        return findings_in(error, Place(context.paths.config))


def schema() -> dict[str, Any]:
    """The JSON Schema of dataflow.toml, for editors."""
    described = adapter(Settings).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": "dataflow.toml"}


def _service_findings(context: Context) -> list[Finding]:
    """Services that dataflow.toml names and nobody knows."""
    services = load_services(context.paths)
    catalog = {spec.name: spec for spec in services}
    document = load_toml(context.paths.config)
    findings: list[Finding] = []
    for name in document.data.get("services", {}):
        try:
            require(catalog, name)
        except UsageError as error:
            place = document.place(("services", name))
            findings.append(Finding("unknown-service", error.message, place, error.hint))
    try:
        settings = adapter(Settings).validate_python(document.data)
        found = load_catalog(context.paths, settings)
        if settings.engine != "auto":
            selected(found, settings, settings.engine)
    except UsageError as error:
        if not findings:
            findings.append(Finding("unavailable", error.message, document.place(("object_store",)), error.hint))
    known = profiles(services)
    for name in document.data.get("profiles", ()):
        if name not in known:
            hint = suggestion(name, known) or f"There are: {', '.join(sorted(known))}."
            place = document.place(("profiles",))
            findings.append(Finding("unknown-profile", f"There is no profile '{name}'.", place, hint))
    return findings
