"""`settings` of config.yaml, typed: an unknown key or a wrong value is an error with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class SqliteSource(BaseModel, extra="forbid", frozen=True):
    """A database made of an SQL script when it is read: the sample."""

    kind: Literal["sqlite"]
    script: Path


class PostgresSource(BaseModel, extra="forbid", frozen=True):
    """A Postgres server."""

    kind: Literal["postgres"]


class Settings(BaseModel, extra="forbid", frozen=True):
    """What may be set."""

    source: Annotated[SqliteSource | PostgresSource, Field(discriminator="kind")]
    overlap_minutes: int = Field(5, ge=0)
