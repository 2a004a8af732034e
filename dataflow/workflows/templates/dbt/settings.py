"""`settings` of config.yaml, typed: an unknown key or a wrong value is an error with its line."""

from __future__ import annotations

from pydantic import BaseModel


class Settings(BaseModel, extra="forbid", frozen=True):
    """What may be set."""

    smallest_amount: float = 0
