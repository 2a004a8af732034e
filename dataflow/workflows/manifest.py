"""config.yaml, the typed manifest of one workflow: what it needs and what may be set, checked with file and line."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dataflow.config.documents import load_yaml
from dataflow.config.validation import validate
from dataflow.errors import ConfigurationError, Place

FILE_NAME = "config.yaml"
PYTHON_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool, "date": date}

ParameterType = Literal["string", "integer", "number", "boolean", "date"]
Scalar = str | int | float | bool | date | None


class Strict(BaseModel):
    """A part of a manifest: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FreeSettings(BaseModel):
    """Settings of a workflow that brought no model of its own: any keys."""

    model_config = ConfigDict(extra="allow", frozen=True)


SettingsT = TypeVar("SettingsT", bound=BaseModel)


class SecretSpec(Strict):
    """An environment variable the workflow reads. Its value comes from .env or the environment, never from here."""

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    description: str = ""
    required: bool = True


class ParameterSpec(Strict):
    """A value that `workflow run --set name=value` and Dagster's launchpad may change."""

    type: ParameterType
    default: Scalar = None
    description: str = ""

    @model_validator(mode="after")
    def _default_fits(self) -> ParameterSpec:
        if self.default is not None and not _fits(self.default, self.type):
            raise ValueError(f"the default {self.default!r} is not of type {self.type}")
        return self


class Manifest(Strict, Generic[SettingsT]):
    """One workflow's config.yaml. `settings` is the workflow's own part, typed by its own model.

    `fresh_hours`: assets that are older than that are stale, and an alert says so.
    """

    version: Literal[1] = 1
    requires: tuple[str, ...] = ()
    secrets: tuple[SecretSpec, ...] = ()
    fresh_hours: Annotated[float | None, Field(gt=0)] = None
    parameters: dict[str, ParameterSpec] = Field(default_factory=dict[str, ParameterSpec])
    settings: SettingsT

    @field_validator("parameters")
    @classmethod
    def _names(cls, value: dict[str, ParameterSpec]) -> dict[str, ParameterSpec]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(f"'{name}' is not a parameter name: lower-case letters, digits and _")
        return value


def load_manifest(folder: Path, settings: type[SettingsT] = FreeSettings) -> Manifest[SettingsT]:
    """The manifest in `folder`, its `settings` read by the given model.

    Raises:
        ConfigurationError: MANIFEST_MISSING, YAML_SYNTAX or CONFIG_INVALID, each with file and line.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        message = f"The workflow '{folder.name}' has no {FILE_NAME}."
        hint = "A manifest of one line is enough: `version: 1`."
        raise ConfigurationError(message, code="MANIFEST_MISSING", hint=hint, place=Place(path))
    document = load_yaml(path)
    document.data.setdefault("settings", {})
    model: Any = Manifest[settings]
    return validate(model, document)


def manifest_schema(settings: type[BaseModel] = FreeSettings) -> dict[str, Any]:
    """The JSON Schema of a config.yaml with these settings, for editors."""
    model: Any = Manifest[settings]
    schema: dict[str, Any] = model.model_json_schema()
    if not settings.model_json_schema().get("required"):  # then the whole part may be left out
        del schema["required"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": FILE_NAME}


def parse_parameter(name: str, text: str, kind: ParameterType) -> Scalar:
    """The text of `--set name=text` as a value of `kind`. Raises ValueError with a sentence for people."""
    try:
        if kind == "boolean":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        return date.fromisoformat(text) if kind == "date" else PYTHON_TYPES[kind](text)
    except (ValueError, KeyError) as error:
        article = "an" if kind[0] in "aeiou" else "a"
        raise ValueError(f"'{name}' takes {article} {kind}, not {text!r}.") from error


def _fits(value: Scalar, kind: ParameterType) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "number":
        return isinstance(value, int | float)
    return isinstance(value, PYTHON_TYPES[kind])
