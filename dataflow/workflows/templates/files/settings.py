"""`settings` of config.yaml, typed: an unknown key or a wrong value is an error with its line."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field


class Settings(BaseModel, extra="forbid", frozen=True):
    """What may be set."""

    inbox: Path
    patterns: tuple[str, ...] = ("*.csv",)
    max_set_aside_pct: float = Field(25, ge=0, le=100)
