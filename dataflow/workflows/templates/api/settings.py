"""`settings` of config.yaml, typed: an unknown key or a wrong value is an error with its line."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class SampleSource(BaseModel, extra="forbid", frozen=True):
    """The rows that came with the workflow."""

    kind: Literal["sample"]


class ApiSource(BaseModel, extra="forbid", frozen=True):
    """An HTTP API that gives JSON lists in numbered pages."""

    kind: Literal["api"]
    url: str
    path: str = "/tickets"
    page_size: int = Field(100, gt=0)
    requests_per_second: float = Field(2, gt=0)


class Settings(BaseModel, extra="forbid", frozen=True):
    """What may be set."""

    source: Annotated[SampleSource | ApiSource, Field(discriminator="kind")]
