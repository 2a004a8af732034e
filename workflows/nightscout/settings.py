"""The `settings` of config.yaml, typed. A wrong key or value is refused with its line before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

Positive = Annotated[int, Field(gt=0)]


class Strict(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FileSource(Strict):
    """An export: a JSON array or JSON lines, plain or .gz. Paths are relative to the workflow's folder."""

    kind: Literal["file"]
    entries: Path
    treatments: Path | None = None


class ApiSource(Strict):
    """A Nightscout site, read through API v1."""

    kind: Literal["api"]
    url: HttpUrl
    auth: Literal["none", "token", "api-secret"] = "token"
    page_size: Positive = 1000
    requests_per_second: Annotated[float, Field(gt=0)] = 2.0
    retries: Annotated[int, Field(ge=0)] = 4
    overlap_hours: Annotated[int, Field(ge=0)] = 48  # read again what late uploads may have filled in


class Settings(Strict):
    """Everything that differs between two people who run this workflow."""

    source: Annotated[FileSource | ApiSource, Field(discriminator="kind")]
    timezone: str = "UTC"
    reading_minutes: Literal[1, 5, 15] = 5
    max_quarantined_pct: Annotated[float, Field(ge=0, le=100)] = 2.0
    stale_after_hours: Positive = 24

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'{value}' is not a time zone; an example is Europe/Berlin") from error
        return value
